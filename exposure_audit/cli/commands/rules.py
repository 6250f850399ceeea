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
def show(rule: Annotated[str, typer.Argument(help="Id of a rule.")], rules: options.Rules = None) -> None:
    """Show one rule as it is written."""
    from difflib import get_close_matches

    from exposure_audit import pipeline
    from exposure_audit.cli.output import save
    from exposure_audit.errors import UsageError

    found = {one.id: one for one in pipeline.load_rules(rules or ()).rules}
    if rule not in found:
        near = get_close_matches(rule, found, n=1)
        raise UsageError(f"no rule {rule!r}", mend=f"did you mean {near[0]}?" if near else "see rules list")
    save("-", found[rule].text.encode())


@app.command()
def test(rules: options.Rules = None) -> None:
    """Run the examples of every rule. Exit code 2 when one does not hold."""
    from exposure_audit import pipeline
    from exposure_audit.cli.output import save
    from exposure_audit.judge.check import try_examples

    trials = try_examples(pipeline.load_rules(rules or ()).rules)
    failed = [trial for trial in trials if not trial.passed]
    lines = [f"{trial.where}: {trial.rule}: expected {trial.expected}, got {trial.got}" for trial in failed]
    lines.append(f"{len(trials)} examples, {len(failed)} failed")
    save("-", "".join(f"{line}\n" for line in lines).encode())
    raise typer.Exit(2 if failed else 0)


@app.command()
def check(
    rules: options.Rules = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema for editors.")] = False,
) -> None:
    """Check rule files. Exit code 2 when something is to be mended.

    Unknown fields, facts and operators, missing examples, conditions that no example tries, clones.
    """
    from pathlib import Path

    from exposure_audit.cards import details_by_service, probe_cards
    from exposure_audit.cli.output import save
    from exposure_audit.judge.check import check as check_folders
    from exposure_audit.judge.load import default_folder
    from exposure_audit.judge.schema import rule_schema
    from exposure_audit.model import wire

    details = details_by_service(probe_cards())
    if schema:
        save("-", wire.encode(rule_schema(details), indent=2))
        return
    problems = check_folders([default_folder(), *map(Path, rules or ())], details)
    lines = [f"{one.where}: {one.message}" + (f" ({one.mend})" if one.mend else "") for one in problems]
    lines.append(f"{len(problems)} to mend" if problems else "every rule is sound")
    save("-", "".join(f"{line}\n" for line in lines).encode())
    raise typer.Exit(2 if problems else 0)
