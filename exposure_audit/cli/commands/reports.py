"""`report` and `explain`: a finished run, printed again or looked into."""

from typing import Annotated

import typer

from exposure_audit.cli import options

_From = Annotated[
    str,
    typer.Option("--from", help="JSON report or run folder; the newest run when not given.", metavar="PATH"),
]


def report(
    source: _From = "",
    format: options.Format = None,  # noqa: A002
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the JSON report.")] = False,
) -> None:
    """Print a finished report again, in any format.

    Without --format it appears on the screen.
    """
    from exposure_audit.cli.output import save
    from exposure_audit.cli.request import emit, outputs
    from exposure_audit.cli.source import find_report
    from exposure_audit.model import wire

    if schema:
        from exposure_audit.report.formats.json import schema as json_schema

        save("-", wire.encode(json_schema(), indent=2))
        return
    from exposure_audit.report.write import check_formats

    formats = tuple(format or ())
    check_formats(outputs(formats))
    emit(find_report(source), formats, screen=not formats)


def explain(
    fingerprint: Annotated[str, typer.Argument(help="Fingerprint of a finding, or its beginning.")],
    source: _From = "",
) -> None:
    """Show one finding: path, proof, score and mend."""
    import sys

    from exposure_audit.cli.source import find_report
    from exposure_audit.report.explain import show

    show(find_report(source), fingerprint, sys.stdout)
