"""`policy` and `doctor`: what the audit may read, and what stays unknown without it."""

from typing import Annotated

import typer

from exposure_audit.cli import options


def policy(
    cloud: Annotated[str, typer.Option("--cloud", help="Cloud: aws.", metavar="NAME")] = "aws",
) -> None:
    """Print the least-privilege policy of a cloud.

    It comes from the same tables that the collector works through.
    """
    from exposure_audit.cli.output import save
    from exposure_audit.collect.catalog import CLOUDS
    from exposure_audit.errors import UsageError
    from exposure_audit.model import wire

    if cloud not in CLOUDS:
        raise UsageError(f"unknown cloud {cloud!r}", where="--cloud", mend=f"known: {', '.join(CLOUDS)}")
    save("-", wire.encode(CLOUDS[cloud].policy(), indent=2))


def doctor(
    provider: options.Provider = None,
    region: options.Region = None,
    profile: options.Profile = None,
    account_role: options.AccountRole = None,
    api_timeout: options.ApiTimeout = None,
    snapshot: options.Snapshot = None,
) -> None:
    """Say which permissions are missing, and what for.

    Without a permission some answers become unknown: which ones is said. Makes the calls of `collect` and
    throws the answers away, or looks at a snapshot. Exit code 3 when something is missing.
    """
    flags = {
        "provider": provider,
        "region": region,
        "profile": profile,
        "account_role": account_role,
        "api_timeout": api_timeout,
        "snapshot": snapshot,
    }
    import tempfile
    from pathlib import Path

    from exposure_audit import pipeline
    from exposure_audit.cli.console import progress_bars
    from exposure_audit.cli.output import save
    from exposure_audit.cli.permissions import diagnosis
    from exposure_audit.cli.request import to_request
    from exposure_audit.cli.settings import resolve

    request = to_request(resolve(flags))
    if request.snapshot:
        coverage = pipeline.read_inventory(Path(request.snapshot)).coverage
    else:
        with tempfile.TemporaryDirectory(prefix="exposure-audit-") as scratch, progress_bars() as progress:
            coverage = pipeline.collect(request, Path(scratch), progress)
    save("-", diagnosis(coverage).encode())
    raise typer.Exit(3 if pipeline.is_incomplete(coverage) else 0)
