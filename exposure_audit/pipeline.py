"""The only place that knows the order of the stages.

    collect -> snapshot -> inventory -> exposures -> plan -> observations -> findings, checklist -> gate -> report

Each function takes what the stage before it gave, and hands strangers to each other what they may not import: the
cards of the probes to the planner, their facts to the judge.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from exposure_audit import __version__
from exposure_audit.cards import details_by_service, probe_cards, usual_ports
from exposure_audit.errors import UsageError
from exposure_audit.model import wire
from exposure_audit.model.coverage import gaps
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Coverage, Inventory
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import ProbePlan
from exposure_audit.model.progress import Progress, silent
from exposure_audit.model.report import FailOn, Report, Scan, Tool
from exposure_audit.ownership import cut_to_owned, whole_since
from exposure_audit.runs import ObservationLog, Request, RunFolder, RunState, last_words

if TYPE_CHECKING:
    from exposure_audit.judge.rule import RuleSet

Trace = Callable[[tuple[str, int, str], str, bytes], None]


def now() -> str:
    """The time as reports write it: UTC, RFC 3339, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_state(request: Request) -> RunState:
    """Name a new run after the time it starts."""
    started = now()
    stamp = started.replace("-", "").replace(":", "")
    return RunState(id=f"{stamp}-{secrets.token_hex(3)}", started_at=started, version=__version__, request=request)


# --- the stages, one function each ---------------------------------------------------------------------------


def collect(request: Request, folder: Path, progress: Progress = silent) -> tuple[Coverage, ...]:
    """Ask the clouds; raw answers land in the snapshot folder. Whole files of an earlier try are kept."""
    from exposure_audit.collect.catalog import CLOUDS

    known = ", ".join(CLOUDS)
    for provider in request.providers:
        if provider not in CLOUDS:
            raise UsageError(f"unknown provider {provider!r}", where="--provider", mend=f"known: {known}")
    coverage: list[Coverage] = []
    for provider in request.providers or tuple(CLOUDS):
        coverage += CLOUDS[provider].collect(
            folder,
            profile=request.profile,
            roles=request.roles,
            regions=request.regions,
            clock=now,
            progress=progress,
            timeout=request.api_timeout,
        )
    return tuple(coverage)


def read_inventory(folder: Path) -> Inventory:
    """Read a snapshot folder; no network."""
    from exposure_audit.collect.read import read_inventory as read

    return read(folder)


def reach(inventory: Inventory) -> tuple[Exposure, ...]:
    """Compute what the internet can reach."""
    from exposure_audit.reach.run import find_exposures

    return find_exposures(inventory)


class Evidence(msgspec.Struct, frozen=True):
    """What the stages before judging gave."""

    request: Request
    inventory: Inventory
    exposures: tuple[Exposure, ...]
    plan: ProbePlan
    observations: tuple[Observation, ...]


def make_plan(request: Request, inventory: Inventory, exposures: Sequence[Exposure]) -> ProbePlan:
    """Plan what is asked, from exposures or from the targets that the request names."""
    from exposure_audit.plan.build import Options, plan_exposures, plan_targets
    from exposure_audit.plan.consent import Consent
    from exposure_audit.plan.targets import parse_targets

    options = Options(
        all_ports=request.all_ports,
        consent=Consent.of(request.exclude),
        budget=request.budget,
        measure_amplification=request.measure_amplification,
        allow_private=request.allow_private,
        allow_loopback=request.allow_loopback,
        loopback_only=request.loopback_only,
    )
    cards = probe_cards()
    if request.targets:
        where = request.targets_from or "targets"
        return plan_targets(parse_targets("\n".join(request.targets), where=where), cards, options)
    return plan_exposures(exposures, inventory, cards, options)


def probe(
    plan: ProbePlan, log: ObservationLog, *, progress: Progress = silent, trace: Trace | None = None
) -> tuple[Observation, ...]:
    """Ask what the plan says and the log does not know yet; every answer is kept as it comes."""
    from exposure_audit.probe.catalog import PROBES
    from exposure_audit.probe.run import run_plan

    run_plan(plan, probes=PROBES, on_observation=log.append, progress=progress, already=log.done(), trace=trace)
    return last_words(log.kept)


def load_rules(folders: Sequence[str], *, built_in: bool = True) -> "RuleSet":
    """Load the built-in rules and those of more folders. Raises InputFileError with file and line."""
    from exposure_audit.judge.load import default_folder
    from exposure_audit.judge.load import load_rules as load

    paths = [default_folder()] if built_in else []
    return load([*paths, *map(Path, folders)], details_by_service(probe_cards()))


def judge(
    evidence: "Evidence", rules: "RuleSet", *, scan_id: str, started_at: str, progress: Progress = silent
) -> Report:
    """Hold the rules against everything gathered, let the gate decide, and put the report together."""
    from exposure_audit.gate.decide import decide
    from exposure_audit.judge.run import Case
    from exposure_audit.judge.run import judge as hold
    from exposure_audit.report.summary import summarise

    progress("judge", 0, 0)
    request, inventory, exposures = evidence.request, evidence.inventory, evidence.exposures
    observations, exclusions = evidence.observations, evidence.plan.exclusions
    case = Case(
        inventory=inventory,
        exposures=exposures,
        observations=observations,
        exclusions=exclusions,
        probed=request.probe,
        now=started_at,
        usual_ports=usual_ports(probe_cards()),
    )
    judgement = hold(case, rules)
    decision = decide(
        judgement.findings,
        coverage=inventory.coverage,
        exclusions=exclusions,
        observations=observations,
        fail_on=msgspec.convert(request.fail_on, FailOn),
        allow_incomplete=request.allow_incomplete,
        probed=request.probe,
    )
    return Report(
        tool=Tool(version=__version__),
        scan=Scan(
            id=scan_id,
            started_at=started_at,
            finished_at=now(),
            vantage=request.vantage if request.probe else "none",
            scope=describe_scope(request, inventory),
            complete=decision.complete,
        ),
        summary=summarise(inventory, exposures, observations, judgement.findings, judgement.checklist),
        coverage=inventory.coverage,
        assets=inventory.assets,
        exposures=exposures,
        observations=observations,
        findings=judgement.findings,
        checklist=judgement.checklist,
        gate=decision,
    )


def describe_scope(request: Request, inventory: Inventory) -> tuple[str, ...]:
    """What was looked at, in words: targets, or provider, account and region."""
    if request.targets:
        return tuple(request.targets)
    return tuple(
        sorted({f"{row.provider} {row.account} {row.region}" for row in inventory.coverage if row.status == "ok"})
    )


# --- the whole canal -----------------------------------------------------------------------------------------


def scan(run: RunFolder, *, progress: Progress = silent, trace: Trace | None = None) -> Report:
    """Run every stage of a run folder, or those that an earlier try did not finish.

    Rules are loaded first: a mistake in one must not be found out after an hour of asking.
    """
    state = run.state
    request = state.request
    rules = load_rules(request.rules)
    with run.lock():
        inventory, exposures, snapshot = _look(request, run, progress)
        plan = ProbePlan()
        observations: tuple[Observation, ...] = ()
        if request.probe:
            plan = make_plan(request, inventory, exposures)
            run.write(run.plan, plan)
            if plan.tasks and snapshot:
                plan = cut_to_owned(plan, snapshot, max_age_hours=request.max_age_hours)
            with ObservationLog(run.observations) as log:
                probe(plan, log, progress=progress, trace=trace)
                observations = second_looks(request, plan, last_words(log.kept))
        evidence = Evidence(request, inventory, exposures, plan, observations)
        report = judge(evidence, rules, scan_id=state.id, started_at=state.started_at, progress=progress)
        run.write(run.report, report)
    return report


def _look(
    request: Request, run: RunFolder, progress: Progress
) -> tuple[Inventory, tuple[Exposure, ...], Path | None]:
    """Collect and compute reachability; nothing of it when targets were named."""
    if request.targets:
        return Inventory(), (), None
    snapshot = Path(request.snapshot) if request.snapshot else run.snapshot
    # A resumed run whose snapshot is whole asks nobody: the credentials may be gone, the answers are here.
    if not request.snapshot and not whole_since(snapshot):
        collect(request, snapshot, progress)
    progress("reach", 0, 0)
    inventory = read_inventory(snapshot)
    run.write(run.inventory, inventory)
    exposures = reach(inventory)
    run.write(run.exposures, exposures)
    return inventory, exposures, snapshot


def second_looks(
    request: Request, plan: ProbePlan, observations: tuple[Observation, ...]
) -> tuple[Observation, ...]:
    """Ask nmap about what nobody recognised, and clickhouse-connect about what was proven, if wanted."""
    if request.discover == "nmap":
        from exposure_audit.probe.second_opinion import second_opinion

        observations = second_opinion(observations, plan)
    if request.confirm:
        from exposure_audit.probe.confirm import confirm

        observations = confirm(observations, plan)
    return observations


def judge_again(request: Request, observations: tuple[Observation, ...]) -> Report:
    """Judge a snapshot, observations, or both, that were gathered before; nothing is asked."""
    state = new_state(request)
    inventory, exposures = Inventory(), tuple[Exposure, ...]()
    plan = ProbePlan()
    if request.snapshot:
        inventory = read_inventory(Path(request.snapshot))
        exposures = reach(inventory)
        plan = make_plan(request, inventory, exposures)
    evidence = Evidence(request, inventory, exposures, plan, observations)
    return judge(evidence, load_rules(request.rules), scan_id=state.id, started_at=state.started_at)


def read_report(path: Path) -> Report:
    """Read a report that an earlier run wrote. Raises InputFileError."""
    return wire.read(path, Report)


# --- about the run, not in it --------------------------------------------------------------------------------


def counts(coverage: Iterable[Coverage]) -> Mapping[str, int]:
    """How many coverage rows ended how."""
    found: dict[str, int] = {}
    for row in coverage:
        found[row.status] = found.get(row.status, 0) + 1
    return found


def is_incomplete(coverage: Iterable[Coverage]) -> bool:
    """Say whether a call that was wanted was not answered."""
    return bool(gaps(coverage))
