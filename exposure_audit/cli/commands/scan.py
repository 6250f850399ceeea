"""`scan`: the whole canal in one command."""

from typing import Annotated

import typer

from exposure_audit.cli import options


def scan(
    provider: options.Provider = None,
    region: options.Region = None,
    profile: options.Profile = None,
    account_role: options.AccountRole = None,
    snapshot: options.Snapshot = None,
    targets: options.Targets = None,
    probe: Annotated[bool | None, typer.Option("--probe/--no-probe", help="Ask what is reachable.")] = None,
    all_ports: options.AllPorts = None,
    exclude: options.Exclude = None,
    rules: options.Rules = None,
    fail_on: options.FailOn = None,
    allow_incomplete: options.AllowIncomplete = None,
    format: options.Format = None,  # noqa: A002
    vantage: options.Vantage = None,
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
    api_timeout: options.ApiTimeout = None,
    run_dir: options.RunDir = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run, or the one in --run-dir.")
    ] = False,
) -> None:
    """Run all of it: collect, reach, plan, probe, judge, gate, report.

    Without --snapshot or --targets, the clouds are read that credentials are found for. Every stage keeps its
    artefact in a run folder under .exposure-audit/runs; an interrupted run goes on with --resume.
    """
    flags = {key: value for key, value in locals().items() if key != "resume"}
    from exposure_audit.cli.scanning import scan_command

    raise typer.Exit(scan_command(flags, resume=resume))
