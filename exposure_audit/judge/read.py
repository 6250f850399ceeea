"""Reads a rule, or a line of the checklist, from its YAML: every word must mean something, or it is an error."""

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import get_args

from exposure_audit.judge import text as texts
from exposure_audit.judge.conditions import find_fact, read_condition, suggest
from exposure_audit.judge.facts import Details, Fact
from exposure_audit.judge.operators import port, scalar
from exposure_audit.judge.rows import SUBJECTS, Subject
from exposure_audit.judge.rule import Example, Item, Need, Outcome, Rule, Settled
from exposure_audit.judge.values import UNKNOWN
from exposure_audit.judge.yamlfile import Node
from exposure_audit.model.finding import SEVERITIES, Fix, Severity
from exposure_audit.model.inventory import Noun

RULE_FIELDS = (
    "id",
    "title",
    "severity",
    "for",
    "when",
    "why",
    "fix",
    "references",
    "checklist",
    "tags",
    "examples",
)
_NEEDED = ("id", "title", "severity", "for", "when", "why", "fix", "references", "examples")
FIX_FIELDS = ("summary", "commands", "terraform")
ITEM_FIELDS = ("id", "category", "title", "settled_by", "needs", "applies")
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
NEEDS: tuple[Need, ...] = (*get_args(Noun), "probing")
SETTLED: tuple[Settled, ...] = get_args(Settled)
ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def fields(node: Node, known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Node]:
    """Return a mapping of known fields only. Raises InputFileError for a strange or a missing one."""
    entries = node.mapping()
    for name in entries:
        if name not in known:
            raise node.error(f"unknown field {name!r}", suggest(name, known, "fields"), key=name)
    for name in needed:
        if name not in entries:
            raise node.error(f"the field {name!r} is missing")
    return entries


def one_of(node: Node, known: tuple[str, ...]) -> str:
    """Return one word of a closed list. Raises InputFileError."""
    word = node.text()
    if word not in known:
        raise node.error(f"unknown word {word!r}", suggest(word, known))
    return word


def words(node: Node, read: Callable[[Node], str]) -> tuple[str, ...]:
    """Return a list without repetitions. Raises InputFileError."""
    found: list[str] = []
    for member in node.items():
        word = read(member)
        if word in found:
            raise member.error(f"{word!r} is named twice")
        found.append(word)
    return tuple(found)


def name(node: Node) -> str:
    """Return an id: small letters, digits, single dashes. Raises InputFileError."""
    text = node.text()
    if not ID.fullmatch(text):
        raise node.error(f"{text!r} is not an id", "small letters, digits and single dashes")
    return text


def sentence(node: Node) -> str:
    """Return a text on one line whose placeholders are known. Raises InputFileError."""
    return " ".join(template(node).split())


def template(node: Node) -> str:
    """Return a text whose placeholders are known. Raises InputFileError."""
    text = node.text()
    for placeholder in texts.names(text):
        if placeholder not in texts.PLACEHOLDERS:
            mend = suggest(placeholder, tuple(texts.PLACEHOLDERS), "placeholders")
            raise node.error(f"unknown placeholder {{{placeholder}}}", mend)
    return text


def read_rule(node: Node, details: Details, *, text: str) -> Rule:
    """Read a rule file. Raises InputFileError with file and line for whatever means nothing."""
    entries = fields(node, RULE_FIELDS, _NEEDED)
    path = PurePath(node.file)
    rule_id = name(entries["id"])
    if rule_id != path.stem:
        raise entries["id"].error(f"the id {rule_id!r} is not the file's name", f"call the file {rule_id}.yaml")
    subjects = _subjects(entries["for"])
    return Rule(
        id=rule_id,
        family=path.parent.name,
        title=sentence(entries["title"]),
        severity=_severity(entries["severity"]),
        subjects=subjects,
        when=read_condition(entries["when"], subjects, details),
        why=sentence(entries["why"]),
        fix=_fix(entries["fix"]),
        references=words(entries["references"], _reference),
        checklist=name(entries["checklist"]) if "checklist" in entries else "",
        tags=words(entries["tags"], name) if "tags" in entries else (),
        examples=_examples(entries["examples"], subjects, details),
        file=node.file,
        text=text,
    )


def read_item(node: Node, details: Details) -> Item:
    """Read a line of the checklist. Raises InputFileError."""
    entries = fields(node, ITEM_FIELDS, ("id", "category", "title"))
    subjects: tuple[Subject, ...] = ()
    applies = None
    if "applies" in entries:
        about = fields(entries["applies"], ("for", "when"), ("for", "when"))
        subjects = _subjects(about["for"])
        applies = read_condition(about["when"], subjects, details)
    settled = one_of(entries["settled_by"], SETTLED) if "settled_by" in entries else "findings"
    needs = words(entries["needs"], lambda one: one_of(one, NEEDS)) if "needs" in entries else ()
    if ("probing" in needs or settled == "asked") and applies is None:
        raise node.error("what is asked needs `applies`", "say which subjects the item is about")
    return Item(
        id=name(entries["id"]),
        category=sentence(entries["category"]),
        title=sentence(entries["title"]),
        settled_by=next(one for one in SETTLED if one == settled),
        needs=tuple(one for one in NEEDS if one in needs),
        subjects=subjects,
        applies=applies,
    )


def _severity(node: Node) -> Severity:
    word = one_of(node, SEVERITIES)
    return next(one for one in SEVERITIES if one == word)


def _subjects(node: Node) -> tuple[Subject, ...]:
    listed = isinstance(node.value, tuple)
    found = words(node, lambda one: one_of(one, SUBJECTS)) if listed else (one_of(node, SUBJECTS),)
    return tuple(one for one in SUBJECTS if one in found)


def _reference(node: Node) -> str:
    link = node.text()
    if not link.startswith("https://") or any(letter.isspace() for letter in link):
        raise node.error(f"{link!r} is not a link", "write it like https://…")
    return link


def _fix(node: Node) -> Fix:
    entries = fields(node, FIX_FIELDS, ("summary",))
    commands = tuple(sentence(one) for one in entries["commands"].items()) if "commands" in entries else ()
    return Fix(
        summary=sentence(entries["summary"]),
        commands=commands,
        terraform=template(entries["terraform"]).rstrip("\n") if "terraform" in entries else "",
    )


def _examples(node: Node, subjects: tuple[Subject, ...], details: Details) -> tuple[Example, ...]:
    found = []
    for member in node.items():
        entries = fields(member, OUTCOMES, ())
        if len(entries) != 1:
            raise member.error("an example has one outcome", f"one of {', '.join(OUTCOMES)}")
        ((outcome, facts),) = entries.items()
        kind = next(one for one in OUTCOMES if one == outcome)
        found.append(Example(kind, _facts(facts, subjects, details), member.line))
    for outcome in ("hit", "miss"):
        if not any(example.outcome == outcome for example in found):
            raise node.error(f"no {outcome} among the examples", "every rule shows one hit and one miss")
    return tuple(found)


def _facts(node: Node, subjects: tuple[Subject, ...], details: Details) -> dict[str, object]:
    found: dict[str, object] = {}
    for fact_name, child in node.mapping().items():
        fact = find_fact(node, fact_name, subjects, details)
        found[fact_name] = UNKNOWN if child.value is None else _value(child, fact)
    return found


def _value(node: Node, fact: Fact) -> object:
    if fact.kind != "ports":
        return scalar(node, fact)
    first, dash, last = str(node.value).partition("-")
    if not dash:
        return (port(node, fact),) * 2
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= 65535):
        raise node.error(f"{node.value!r} is not a port range", "write a port, or a range like 6000-7000")
    return int(first), int(last)
