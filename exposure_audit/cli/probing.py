"""What `probe` does: plan or targets in, observations out as they come."""

import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from exposure_audit import pipeline
from exposure_audit.cli import exits
from exposure_audit.cli.console import note, progress_bars
from exposure_audit.cli.output import columns, save
from exposure_audit.cli.request import to_request
from exposure_audit.cli.settings import BUDGET_FIELDS, resolve
from exposure_audit.errors import UsageError
from exposure_audit.model import wire
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import ProbePlan
from exposure_audit.ownership import cut_to_owned
from exposure_audit.report.tame import tame, tame_all
from exposure_audit.runs import ObservationLog, Request


def probe_command(words: list[str], plan_file: str | None, output: str, flags: dict[str, Any]) -> int:
    """Run a plan or targets; return the exit code."""
    settings = resolve(flags)
    request = to_request(settings)
    if words:
        request = msgspec.structs.replace(request, targets=(*words, *request.targets), targets_from="targets")
    if bool(request.targets) == bool(plan_file):
        raise UsageError("nothing to ask, or two things at once", mend="give targets, or --plan FILE")
    if plan_file:
        given = {field for key, field in BUDGET_FIELDS.items() if flags.get(key.replace("-", "_")) is not None}
        plan = _saved_plan(Path(plan_file), request, given)
    else:
        plan = pipeline.make_plan(request, Inventory(), ())
    observations = _ask(plan, request, output)
    if output == "-":
        save("-", b"".join(wire.encode(tame_all(one)) for one in observations))
    else:
        save("-", table(observations).encode())
    failed = [one for one in observations if one.verdict == "error"]
    # What stands in front of and behind a load balancer is left out twice for one reason.
    for line in dict.fromkeys(f"not asked: {one.address} {one.reason}" for one in plan.exclusions):
        note(line)
    if failed:
        note(f"{len(failed)} of {len(plan.tasks)} could not be asked")
    missing = failed or any(one.incomplete for one in plan.exclusions)
    return exits.INCOMPLETE if missing else exits.PASSED


def _saved_plan(path: Path, request: Request, given: set[str]) -> ProbePlan:
    """Read a saved plan and cut it to what is still ours. Flags may narrow its scope, never widen it.

    Its budget is kept but for the limits that were `given` by hand.
    """
    plan = wire.read(path, ProbePlan)
    scope = plan.scope
    if request.loopback_only:
        scope = msgspec.structs.replace(scope, loopback_only=True)
    limits = {field: getattr(request.budget, field) for field in given}
    plan = msgspec.structs.replace(plan, scope=scope, budget=msgspec.structs.replace(plan.budget, **limits))
    if plan.origin != "inventory":
        return plan
    if not request.snapshot:
        raise UsageError(
            "the plan was made from an inventory; ownership must be checked again",
            where=str(path),
            mend="add --snapshot DIR",
        )
    return cut_to_owned(plan, Path(request.snapshot), max_age_hours=request.max_age_hours)


def _ask(plan: ProbePlan, request: Request, output: str) -> tuple[Observation, ...]:
    """Ask, and keep every answer as it comes: beside the output file, or in a file that goes with us.

    `OUTPUT.partial` is what an interrupted run leaves, and where the same command goes on. A finished file is never
    gone on with: its answers are those of another day.
    """
    with tempfile.TemporaryDirectory(prefix="exposure-audit-") as scratch:
        named = output not in {"", "-"}
        keep = Path(f"{output}.partial") if named else Path(scratch) / "observations.jsonl"
        if keep.exists() and time.time() - keep.stat().st_mtime > request.max_age_hours * 3600:
            keep.unlink()
        with ObservationLog(keep) as log, progress_bars() as progress:
            kept = pipeline.probe(plan, log, progress=progress)
        wanted = {(task.address, task.port, task.transport) for task in plan.tasks}
        observations = tuple(one for one in kept if (one.address, one.port, one.transport) in wanted)
        observations = pipeline.second_looks(request, plan, observations)
        if named:
            save(output, b"".join(map(wire.encode, observations)))
            keep.unlink()
    return observations


def table(observations: tuple[Observation, ...]) -> str:
    """Observations for people, one line each."""
    rows = [("VERDICT", "ADDRESS", "PORT", "SERVICE", "PROOF")]
    for one in observations:
        what = " ".join(filter(None, (one.product or one.service, one.version, "over TLS" if one.tls else "")))
        proof = one.reason or one.evidence
        if one.amplification:
            counted = one.amplification
            proof = f"x{counted.factor:g}: {counted.bytes_out} bytes out, {counted.bytes_in} in"
        rows.append(
            (one.verdict, tame(one.address), f"{one.port}/{one.transport}", tame(what) or "-", tame(proof)[:100])
        )
    return columns(rows)
