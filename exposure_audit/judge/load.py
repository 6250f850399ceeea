"""Finds rule files, reads them all, and checks what only the whole set can show.

A folder holds `<family>/<rule-id>.yaml` and, if it brings items of its own, `checklist.yaml`. One bad file stops
the run before any packet: a rule that silently does nothing would be a hole in the audit.
"""

from collections.abc import Sequence
from pathlib import Path

from exposure_audit.errors import InputFileError
from exposure_audit.judge import yamlfile
from exposure_audit.judge.conditions import suggest
from exposure_audit.judge.facts import Details
from exposure_audit.judge.read import fields, read_item, read_rule
from exposure_audit.judge.rule import Item, Rule, RuleSet

CHECKLIST = "checklist.yaml"
_PACKAGE = Path(__file__).parents[1]


def default_folder(package: Path = _PACKAGE) -> Path:
    """Return the folder of the rules that come with the program.

    A wheel carries it inside the package as `_rules`, a checkout has it beside the package as `rules`.
    Raises InputFileError when there is neither.
    """
    for folder in (package / "_rules", package.parent / "rules"):
        if (folder / CHECKLIST).is_file():
            return folder
    raise InputFileError(
        "the rules that come with the program are gone", where=str(package), mend="install it again"
    )


def rule_files(folder: Path) -> tuple[Path, ...]:
    """Return the rule files of a folder, sorted. Raises InputFileError for files that would be passed over."""
    if not folder.is_dir():
        raise InputFileError("no such folder", where=str(folder), mend="--rules takes a folder of rule files")
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_dir() or any(part.startswith(".") for part in inside.parts) or inside == Path(CHECKLIST):
            continue
        if path.suffix in {".yml", ".json"}:
            raise InputFileError("would be passed over", where=str(path), mend="rule files end in .yaml")
        if path.suffix == ".yaml":
            found.append(path)
    if not found and not (folder / CHECKLIST).is_file():
        raise InputFileError("holds no rule file", where=str(folder), mend="rule files end in .yaml")
    return tuple(found)


def load_rule(path: Path, details: Details) -> Rule:
    """Read one rule file. Raises InputFileError."""
    node = yamlfile.read(path)
    return read_rule(node, details, text=path.read_text(encoding="utf-8"))


def load_items(path: Path, details: Details) -> tuple[Item, ...]:
    """Read a checklist file. Raises InputFileError."""
    entries = fields(yamlfile.read(path), ("items",), ("items",))
    found: dict[str, Item] = {}
    for node in entries["items"].items():
        item = read_item(node, details)
        if item.id in found:
            raise node.error(f"a second item is called {item.id!r}")
        found[item.id] = item
    return tuple(found.values())


def load_rules(folders: Sequence[Path], details: Details) -> RuleSet:
    """Read all rules and checklist items of these folders.

    `details` are the facts that the probes declare, service -> name -> type. Raises InputFileError with file and
    line for the first thing that means nothing.
    """
    rules: dict[str, Rule] = {}
    items: dict[str, Item] = {}
    for folder in folders:
        files = rule_files(folder)
        if (folder / CHECKLIST).is_file():
            for item in load_items(folder / CHECKLIST, details):
                if item.id in items:
                    raise InputFileError(f"a second item is called {item.id!r}", where=str(folder / CHECKLIST))
                items[item.id] = item
        for path in files:
            rule = load_rule(path, details)
            if rule.id in rules:
                raise InputFileError(
                    f"a second rule is called {rule.id!r}",
                    where=str(path),
                    mend=f"the first is {rules[rule.id].file}",
                )
            rules[rule.id] = rule
    known = tuple(items)
    for rule in rules.values():
        if rule.checklist and rule.checklist not in items:
            raise InputFileError(
                f"no checklist item is called {rule.checklist!r}",
                where=rule.file,
                mend=suggest(rule.checklist, known),
            )
    return RuleSet(rules=tuple(rules[one] for one in sorted(rules)), items=tuple(items.values()), details=details)
