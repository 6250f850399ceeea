"""The stages of `scan`, one by one: each reads what the one before it wrote."""

from pathlib import Path
from typing import Annotated

import typer

from exposure_audit.cli import options

_NeededSnapshot = Annotated[str, typer.Option("--snapshot", help="Snapshot folder to read.", metavar="DIR")]


def collect(
    output: Annotated[str, typer.Option("--output", "-o", help="Snapshot folder to fill.", metavar="DIR")],
    provider: options.Provider = None,
    region: options.Region = None,
    profile: options.Profile = None,
    account_role: options.AccountRole = None,
    api_timeout: options.ApiTimeout = None,
) -> None:
    """Ask the clouds; keep their raw answers in a snapshot.

    Files that are whole already are kept: the same command goes on after an interruption.
    """
    flags = {key: value for key, value in locals().items() if key != "output"}
    from exposure_audit import pipeline
    from exposure_audit.cli.console import note, progress_bars
    from exposure_audit.cli.request import to_request
    from exposure_audit.cli.settings import resolve
    from exposure_audit.ownership import refuse_finished

    request = to_request(resolve(flags))
    refuse_finished(Path(output))
    with progress_bars() as progress:
        coverage = pipeline.collect(request, Path(output), progress)
    for row in coverage:
        if row.status != "ok":
            note(f"{row.status}: {row.provider} {row.account} {row.region} {row.call}: {row.detail}")
    counted = ", ".join(f"{number} {status}" for status, number in sorted(pipeline.counts(coverage).items()))
    note(f"{output}: {counted}")
    raise typer.Exit(3 if pipeline.is_incomplete(coverage) else 0)


def reach(snapshot: _NeededSnapshot, output: options.Output = "-") -> None:
    """Compute what the internet can reach, from a snapshot."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import save
    from exposure_audit.model import wire

    exposures = pipeline.reach(pipeline.read_inventory(Path(snapshot)))
    save(output, wire.encode(exposures, indent=2))


def plan(
    snapshot: options.Snapshot = None,
    targets: options.Targets = None,
    all_ports: options.AllPorts = None,
    exclude: options.Exclude = None,
    rate: options.Rate = None,
    rate_per_address: options.RatePerAddress = None,
    timeout: options.Timeout = None,
    connect_timeout: options.ConnectTimeout = None,
    measure_amplification: options.MeasureAmplification = None,
    allow_private: options.AllowPrivate = None,
    allow_loopback: options.AllowLoopback = None,
    loopback_only: options.LoopbackOnly = None,
    output: options.Output = "-",
) -> None:
    """Show what would be asked, and what is left out.

    Nothing is sent.

    With -o the plan is saved as JSON for `probe --plan`; on standard output it is a table for people.
    """
    flags = {key: value for key, value in locals().items() if key != "output"}
    from exposure_audit import pipeline
    from exposure_audit.cli.output import plan_table, save
    from exposure_audit.cli.request import to_request
    from exposure_audit.cli.settings import resolve
    from exposure_audit.errors import UsageError
    from exposure_audit.model import wire
    from exposure_audit.model.inventory import Inventory

    request = to_request(resolve(flags))
    if not request.snapshot and not request.targets:
        raise UsageError("nothing to plan", mend="give --snapshot DIR or --targets FILE")
    inventory = pipeline.read_inventory(Path(request.snapshot)) if request.snapshot else Inventory()
    made = pipeline.make_plan(request, inventory, pipeline.reach(inventory))
    save(output, plan_table(made) if output == "-" else wire.encode(made, indent=2))


def probe(
    target: Annotated[
        list[str] | None, typer.Argument(help="host, host:port, host:port/udp or CIDR.", metavar="[TARGET]...")
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="Run this saved plan.", metavar="FILE")] = None,
    snapshot: options.Snapshot = None,
    targets: options.Targets = None,
    all_ports: options.AllPorts = None,
    exclude: options.Exclude = None,
    rate: options.Rate = None,
    rate_per_address: options.RatePerAddress = None,
    timeout: options.Timeout = None,
    connect_timeout: options.ConnectTimeout = None,
    in_flight: options.InFlight = None,
    measure_amplification: options.MeasureAmplification = None,
    allow_private: options.AllowPrivate = None,
    allow_loopback: options.AllowLoopback = None,
    loopback_only: options.LoopbackOnly = None,
    confirm: options.Confirm = None,
    discover: options.Discover = None,
    max_age: options.MaxAge = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Observations as JSON lines; - is stdout.", metavar="FILE")
    ] = "",
) -> None:
    """Ask targets or a saved plan; print the answers.

    A plan made from a snapshot needs --snapshot: what is no longer ours is not asked. Exit code 3 when
    something could not be asked. An interrupted run leaves FILE.partial, and the same command goes on.
    """
    flags = {key: value for key, value in locals().items() if key not in {"target", "plan", "output"}}
    from exposure_audit.cli.probing import probe_command

    raise typer.Exit(probe_command(target or [], plan, output, flags))


def judge(
    snapshot: options.Snapshot = None,
    observations: Annotated[
        list[str] | None, typer.Option("--observations", help="JSON lines of `probe`. Repeatable.", metavar="FILE")
    ] = None,
    rules: options.Rules = None,
    fail_on: options.FailOn = None,
    allow_incomplete: options.AllowIncomplete = None,
    format: options.Format = None,  # noqa: A002
) -> None:
    """Judge a snapshot and observations again; no network."""
    flags = {
        "snapshot": snapshot,
        "rules": rules,
        "fail_on": fail_on,
        "allow_incomplete": allow_incomplete,
        "format": format,
    }
    from exposure_audit import pipeline
    from exposure_audit.cli.request import emit, exit_code, outputs, to_request
    from exposure_audit.cli.settings import resolve
    from exposure_audit.errors import UsageError
    from exposure_audit.report.write import check_formats
    from exposure_audit.runs import read_observations

    settings = resolve({**flags, "probe": bool(observations)})
    request = to_request(settings)
    if not request.snapshot and not observations:
        raise UsageError("nothing to judge", mend="give --snapshot DIR, --observations FILE, or both")
    check_formats(outputs(request.formats))
    report = pipeline.judge_again(request, read_observations(map(Path, observations or ())))
    emit(report, request.formats)
    raise typer.Exit(exit_code(report, allow_incomplete=request.allow_incomplete))
