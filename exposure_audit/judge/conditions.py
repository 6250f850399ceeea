"""Conditions of rules: what they are, how they are read, and how they decide in three values.

    when:
      observation.service: [redis, memcached]        # a list means `in`, a plain value means `equals`
      observation.verdict: unauthenticated           # entries of one mapping must all hold
      any:
        - exposure.breadth: internet
        - not: {asset.tag.env: dev}

Kleene's logic: a matcher on an unknown fact is unknown, on an absent fact false; `not`, `all` and `any` carry the
unknown on unless another part settles the answer.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

import msgspec

from exposure_audit.judge import facts
from exposure_audit.judge.facts import Details, Fact
from exposure_audit.judge.operators import OPERATORS, Operator
from exposure_audit.judge.rows import Subject
from exposure_audit.judge.values import UNKNOWN, Among, Missing
from exposure_audit.judge.yamlfile import Node

Truth3 = bool | None
"""True, False, or None for unknown."""


class Const(msgspec.Struct, frozen=True):
    """Settled."""

    value: Truth3


class Leaf(msgspec.Struct, frozen=True, eq=False):
    """One matcher on one fact."""

    fact: Fact
    operator: Operator
    operand: object
    test: Callable[[Any], bool]
    line: int = 0


class All(msgspec.Struct, frozen=True, eq=False):
    """Every part holds."""

    parts: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True, eq=False):
    """At least one part holds."""

    parts: tuple["Condition", ...]


class Not(msgspec.Struct, frozen=True, eq=False):
    """The part does not hold."""

    part: "Condition"


Condition = Const | Leaf | All | AnyOf | Not


def suggest(word: str, known: Iterator[str] | tuple[str, ...], what: str = "") -> str:
    """Return `did you mean …?`, or the whole list when it is short."""
    words = tuple(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known{' ' + what if what else ''}: {', '.join(sorted(words))}" if len(words) <= 24 else ""


def leaf(fact: Fact, name: str, operand: object, line: int = 0) -> Leaf:
    """Build a matcher from a checked operand."""
    operator = OPERATORS[name]
    return Leaf(fact, operator, operand, operator.test(operand), line)


PROVEN = leaf(facts.PROVEN, "equals", True)


def read_condition(node: Node, subjects: tuple[Subject, ...], details: Details) -> Condition:
    """Read `when`. Raises InputFileError, with the line, for any word that means nothing."""
    entries = node.mapping()
    if not entries:
        raise node.error("the condition is empty", "name at least one fact")
    parts: list[Condition] = []
    for name, child in entries.items():
        if name in {"all", "any"}:
            members = tuple(read_condition(member, subjects, details) for member in child.items())
            parts.append(All(members) if name == "all" else AnyOf(members))
        elif name == "not":
            parts.append(Not(read_condition(child, subjects, details)))
        else:
            parts += _matchers(find_fact(node, name, subjects, details), child)
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def find_fact(node: Node, name: str, subjects: tuple[Subject, ...], details: Details) -> Fact:
    """Return a declared fact that all of these subjects have. Raises InputFileError."""
    fact = facts.find(name, details)
    if fact is None:
        raise node.error(f"no fact is called {name!r}", suggest(name, facts.names(details)), key=name)
    lacking = [subject for subject in subjects if subject not in fact.subjects]
    if lacking:
        have = ", ".join(sorted(fact.subjects))
        raise node.error(f"{name} does not exist for {', '.join(lacking)}", f"it exists for: {have}", key=name)
    return fact


def _matchers(fact: Fact, node: Node) -> Iterator[Condition]:
    if isinstance(node.value, dict):
        if not node.value:
            raise node.error(f"no operator for {fact.name}")
        for name, child in node.value.items():
            yield _matcher(fact, name, child, node)
    else:
        short = "contains" if fact.kind == "ports" else "in" if isinstance(node.value, tuple) else "equals"
        yield _matcher(fact, short, node, node)


def _matcher(fact: Fact, name: str, operand: Node, node: Node) -> Condition:
    operator = OPERATORS.get(name)
    suits = tuple(one.name for one in OPERATORS.values() if fact.kind in one.kinds)
    if operator is None:
        raise node.error(f"no operator is called {name!r}", suggest(name, suits), key=name)
    if fact.kind not in operator.kinds:
        raise node.error(f"{name} does not suit {fact.name}", f"it takes: {', '.join(suits)}", key=name)
    value = operator.operand(operand, fact)
    line = node.keys.get(name, node.line)
    if name == "not_in":
        return Not(leaf(fact, "in", value, line))
    if name == "present" and value is False:
        return Not(leaf(fact, "present", True, line))
    return leaf(fact, name, value, line)


def decide(matcher: Leaf, value: object) -> Truth3:
    """Answer one matcher for one value, missing or not."""
    if isinstance(value, Among):
        possible = matcher.operator.name == "present" or any(matcher.test(one) for one in value.values)
        return None if possible else False
    if value is UNKNOWN:
        return None
    return False if isinstance(value, Missing) else matcher.test(value)


def evaluate(condition: Condition, read: Callable[[Fact], object]) -> Truth3:
    """Answer a condition, reading facts as they are needed. `compile` answers the same, faster."""
    if isinstance(condition, Const):
        return condition.value
    if isinstance(condition, Leaf):
        return decide(condition, read(condition.fact))
    if isinstance(condition, Not):
        answer = evaluate(condition.part, read)
        return None if answer is None else not answer
    settles = isinstance(condition, AnyOf)
    unknown = False
    for part in condition.parts:
        answer = evaluate(part, read)
        if answer is settles:
            return settles
        unknown = unknown or answer is None
    return None if unknown else not settles


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield every matcher, in the order they are written."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    elif isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from leaves(part)


def rewrite(condition: Condition, change: Callable[[Leaf], Condition]) -> Condition:
    """Replace every matcher, and settle what is settled by that."""
    if isinstance(condition, Leaf):
        return change(condition)
    if isinstance(condition, Not):
        part = rewrite(condition.part, change)
        if isinstance(part, Const):
            return Const(None if part.value is None else not part.value)
        return Not(part)
    if isinstance(condition, All | AnyOf):
        return _joined(condition, change)
    return condition


def _joined(group: All | AnyOf, change: Callable[[Leaf], Condition]) -> Condition:
    settles = isinstance(group, AnyOf)
    kept: list[Condition] = []
    open_parts = False
    for part in group.parts:
        changed = rewrite(part, change)
        if not isinstance(changed, Const):
            open_parts = True
        elif changed.value is settles:
            return changed
        elif changed.value is not None:
            continue
        kept.append(changed)
    if not open_parts:
        return Const(None if kept else not settles)
    return type(group)(tuple(kept))


def flat(condition: Condition) -> Condition:
    """Join nested groups of one kind, and put first what costs least to answer; the meaning stays."""
    if isinstance(condition, Not):
        return Not(flat(condition.part))
    if not isinstance(condition, All | AnyOf):
        return condition
    kind = type(condition)
    parts: list[Condition] = []
    for part in map(flat, condition.parts):
        parts += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(sorted(parts, key=_cost)))


def _cost(condition: Condition) -> int:
    if isinstance(condition, Leaf):
        return 0 if condition.fact.column else 1 if condition.operator.inline else 2
    return 3
