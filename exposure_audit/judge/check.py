"""Tests rules by their own examples, and finds rules that are weak: `rules test` and `rules check`.

A rule is weak when leaving out one of its matchers, or letting it never hold, changes the outcome of no example:
then nobody would notice the day it breaks. Two rules are clones when only services, ports or versions tell them
apart: those are data, and belong in one rule.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from exposure_audit.errors import InputFileError
from exposure_audit.judge import facts
from exposure_audit.judge.conditions import (
    All,
    AnyOf,
    Condition,
    Const,
    Leaf,
    Not,
    Truth3,
    evaluate,
    leaves,
    rewrite,
)
from exposure_audit.judge.facts import Details, Fact
from exposure_audit.judge.load import load_rule, load_rules, rule_files
from exposure_audit.judge.rule import Example, Outcome, Rule
from exposure_audit.judge.values import ABSENT, UNKNOWN

_OUTCOMES: dict[Truth3, Outcome] = {True: "hit", False: "miss", None: "unknown"}
_AXES = {"exposure.ports", "exposure.target_port", "observation.port", "observation.service", "observation.version"}


class Trial(msgspec.Struct, frozen=True):
    """One example, and what the rule made of it."""

    rule: str
    where: str
    """`file:line`."""
    expected: Outcome
    got: Outcome

    @property
    def passed(self) -> bool:
        """The rule says what the example says."""
        return self.expected == self.got


class Problem(msgspec.Struct, frozen=True):
    """Something to mend in a rule file."""

    where: str
    """`file:line`, or the file."""
    message: str
    mend: str = ""


def try_examples(rules: Sequence[Rule]) -> tuple[Trial, ...]:
    """Run the examples of these rules, in their order."""
    return tuple(
        Trial(rule.id, f"{rule.file}:{example.line}", example.outcome, outcome(rule.condition, example))
        for rule in rules
        for example in rule.examples
    )


def outcome(condition: Condition, example: Example) -> Outcome:
    """Return what a condition says of an example's facts."""
    return _OUTCOMES[evaluate(condition, _reader(example.facts))]


def _reader(given: dict[str, object]) -> Callable[[Fact], object]:
    def read(fact: Fact) -> object:
        if fact is not facts.PROVEN:
            return given.get(fact.name, ABSENT)
        answered = isinstance(given.get("observation.verdict"), str)
        return True if answered or given.get("exposure.truth", "true") == "true" else UNKNOWN

    return read


def check(folders: Sequence[Path], details: Details) -> tuple[Problem, ...]:
    """Look at every rule file of these folders; unlike loading, this goes on after the first problem."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for folder in folders:
        try:
            files = rule_files(folder)
        except InputFileError as error:
            problems.append(Problem(error.where, error.message, error.mend))
            continue
        for path in files:
            try:
                rules.append(load_rule(path, details))
            except InputFileError as error:
                problems.append(Problem(error.where, error.message, error.mend))
    if not problems:
        try:
            load_rules(folders, details)  # Ids, and the items of the checklist: seen only in the whole set.
        except InputFileError as error:
            problems.append(Problem(error.where, error.message, error.mend))
    problems += [
        Problem(trial.where, f"the example is a {trial.got}, not a {trial.expected}")
        for trial in try_examples(rules)
        if not trial.passed
    ]
    for rule in rules:
        problems += weak_spots(rule)
    return (*problems, *clones(rules))


def weak_spots(rule: Rule) -> tuple[Problem, ...]:
    """Return the matchers of a rule that no example depends on."""
    found = []
    for matcher in leaves(rule.when):
        for value, what in ((True, "is left out"), (False, "never holds")):
            changed = rewrite(rule.condition, _replace(matcher, Const(value)))
            if all(outcome(changed, example) == outcome(rule.condition, example) for example in rule.examples):
                kind = "miss" if value else "hit"
                found.append(
                    Problem(
                        f"{rule.file}:{matcher.line}",
                        f"no example notices when the matcher on {matcher.fact.name} {what}",
                        f"add a {kind} that depends on it",
                    )
                )
    return tuple(found)


def _replace(one: Leaf, by: Const) -> Callable[[Leaf], Condition]:
    return lambda matcher: by if matcher is one else matcher


def clones(rules: Sequence[Rule]) -> tuple[Problem, ...]:
    """Return the rules that differ from an earlier one in services, ports or versions alone."""
    seen: dict[tuple[object, ...], Rule] = {}
    found = []
    for rule in rules:
        first = seen.setdefault(_normal_form(rule), rule)
        if first is not rule:
            message = f"differs from {first.id} in services, ports, versions or numbers alone"
            found.append(Problem(rule.file, message, "make it one rule with a list"))
    return tuple(found)


def _normal_form(rule: Rule) -> tuple[object, ...]:
    words = rule.why.lower()
    for service in rule.services:
        words = words.replace(service, "")
    return rule.subjects, rule.severity, _shape(rule.when), re.sub(r"[\W\d_]+", " ", words)


def _shape(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        operand = "" if condition.fact.name in _AXES else _plain(condition.operand)
        return f"{condition.fact.name} {condition.operator.name} {operand}"
    if isinstance(condition, Not):
        return f"not({_shape(condition.part)})"
    if isinstance(condition, All | AnyOf):
        return f"{type(condition).__name__}({', '.join(sorted(_shape(part) for part in condition.parts))})"
    return str(condition.value)


def _plain(operand: object) -> str:
    return repr(sorted(map(repr, operand)) if isinstance(operand, frozenset) else operand)
