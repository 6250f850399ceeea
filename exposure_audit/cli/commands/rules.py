"""`rules`: look at the rules, try their examples, check one's own."""

from typing import Annotated

import typer

from exposure_audit.cli import options

app = typer.Typer(
    help="List, show, test and check the rules.", rich_markup_mode=None, no_args_is_help=True, add_completion=False
)


@app.command("list")
def list_rules(rules: options.Rules = None) -> None:
    """List every rule: severity, id, title."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import columns, save

    rows = [(rule.severity, rule.id, rule.title) for rule in pipeline.load_rules(rules or ()).rules]
    save("-", columns(rows).encode())


@app.command()
def show(
    rule: Annotated[str, typer.Argument(help="Id of a rule.")],
    rules: options.Rules = None,
) -> None:
    """Show one rule as it is written."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import save

    save("-", pipeline.rule_text(rule, rules or ()).encode())


@app.command()
def test(rules: options.Rules = None) -> None:
    """Run the examples of every rule. Exit code 2 when one does not hold."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import save

    tried, failures = pipeline.test_rules(rules or ())
    save("-", "".join(f"{line}\n" for line in (*failures, f"{tried} examples, {len(failures)} failed")).encode())
    raise typer.Exit(2 if failures else 0)


@app.command()
def check(
    rules: options.Rules = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema for editors.")] = False,
) -> None:
    """Check rule files: unknown fields, facts and operators, missing examples, clones. Exit code 2 on any."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import save
    from exposure_audit.model import wire

    if schema:
        save("-", wire.encode(pipeline.rule_schema(), indent=2))
        return
    found, complaints = pipeline.check_rules(rules or ())
    save(
        "-", "".join(f"{line}\n" for line in (*complaints, f"{found} rules, {len(complaints)} complaints")).encode()
    )
    raise typer.Exit(2 if complaints else 0)
