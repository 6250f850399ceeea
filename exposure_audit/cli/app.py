"""The commands, registered; their bodies import what they need when they run."""

import typer

from exposure_audit.cli.commands import lab, permissions, probes, reports, rules, scan, stages

EPILOG = (
    "Exit codes: 0 passed and complete, 1 the gate failed, 2 wrong usage or input, 3 something could not be "
    "looked at, 130 interrupted."
)

app = typer.Typer(
    epilog=EPILOG,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """The audit that runs before growth: what the internet can reach, and whether it asks who you are."""
    if version:
        from exposure_audit import __version__

        typer.echo(f"exposure-audit {__version__}")
        raise typer.Exit


app.command()(scan.scan)
for _command in (stages.collect, stages.reach, stages.plan, stages.probe, stages.judge):
    app.command()(_command)
app.command()(reports.report)
app.command()(reports.explain)
app.command()(permissions.doctor)
app.command()(permissions.policy)
app.add_typer(rules.app, name="rules")
app.add_typer(probes.app, name="probes")
app.command()(lab.lab)
