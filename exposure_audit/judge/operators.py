"""The closed table of operators: which kinds of facts they suit, how their operand is read, how they decide.

An operator sees known values only. What an absent or unknown fact means is settled once, in `conditions`.
"""

from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache
from re import compile as compile_pattern
from typing import Any

import msgspec

from exposure_audit.judge.facts import Fact, Kind
from exposure_audit.judge.versions import Range, VersionKey, parse
from exposure_audit.judge.yamlfile import Node
from exposure_audit.model.addresses import AddressSet

Test = Callable[[Any], bool]


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One way to ask about a fact."""

    name: str
    kinds: frozenset[Kind]
    about: str
    operand: Callable[[Node, Fact], object]
    """Reads and checks the operand; raises InputFileError at its place."""
    test: Callable[[Any], Test]
    inline: str = ""
    """The same as an expression over {v} and {c}; a missing value must make it false, not an error."""


def scalar(node: Node, fact: Fact) -> object:
    """Read one value of the fact's kind. Raises InputFileError when it is of another kind."""
    value = node.value
    if fact.kind == "flag":
        if not isinstance(value, bool):
            raise node.error(f"{fact.name} is true or false, not {node.kind}")
        return value
    if fact.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise node.error(f"{fact.name} is a number, not {node.kind}")
        return value
    text = node.text()
    if fact.kind == "choice" and text not in fact.choices:
        raise node.error(f"{fact.name} is never {text!r}", f"one of {', '.join(fact.choices)}")
    if fact.kind == "version":
        version = parse(text)
        if version is None:
            raise node.error(f"{text!r} is not a version")
        return version
    return text


def port(node: Node, fact: Fact) -> int:
    """Read a port number. Raises InputFileError outside 0..65535."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise node.error(f"{fact.name} holds ports, 0 to 65535", "write a number, or a list of numbers")
    return value


def _scalars(node: Node, fact: Fact) -> frozenset[object]:
    values = [scalar(member, fact) for member in node.items()]
    if len(set(values)) != len(values):
        raise node.error("the list names a value twice")
    return frozenset(values)


def _one_or_more(node: Node, read: Callable[[Node], Any]) -> tuple[Any, ...]:
    members = node.items() if isinstance(node.value, tuple) else (node,)
    return tuple(read(member) for member in members)


def _flag(node: Node, fact: Fact) -> bool:
    if not isinstance(node.value, bool):
        raise node.error(f"`present` of {fact.name} takes true or false, not {node.kind}")
    return node.value


def _number(node: Node, fact: Fact) -> float:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise node.error(f"a bound of {fact.name} is a number, not {node.kind}")
    return value


def _contains(node: Node, fact: Fact) -> tuple[int, ...]:
    return tuple(sorted(set(_one_or_more(node, lambda member: port(member, fact)))))


def _has_port(operand: tuple[int, ...]) -> Test:
    # Estates repeat themselves: few ranges, few versions. The caches are bounded, since servers choose versions.
    @lru_cache(maxsize=4096)
    def test(span: tuple[int, int]) -> bool:
        return any(span[0] <= one <= span[1] for one in operand)

    return test


def _ranges(node: Node, _fact: Fact) -> tuple[Range, ...]:
    def read(member: Node) -> Range:
        try:
            return Range.read(member.text())
        except ValueError as error:
            raise member.error(str(error), 'write it like ">=6.0,<6.2.20"') from None

    return _one_or_more(node, read)


def _in_range(operand: tuple[Range, ...]) -> Test:
    @lru_cache(maxsize=4096)
    def test(version: VersionKey) -> bool:
        return any(one.holds(version) for one in operand)

    return test


def _globs(node: Node, _fact: Fact) -> tuple[str, ...]:
    return _one_or_more(node, Node.text)


def _matches(operand: tuple[str, ...]) -> Test:
    pattern = compile_pattern("|".join(f"(?:{translate(glob)})" for glob in operand))
    # Foreign text is cut first: a pattern of many stars costs little on a short line.
    return lambda text: pattern.match(text[:1024]) is not None


def _networks(node: Node, _fact: Fact) -> AddressSet:
    def read(member: Node) -> AddressSet:
        try:
            return AddressSet.of(member.text())
        except ValueError as error:
            raise member.error(str(error), 'write it like "203.0.113.0/24"') from None

    united = AddressSet()
    for one in _one_or_more(node, read):
        united |= one
    return united


def _within(operand: AddressSet) -> Test:
    def test(address: str) -> bool:
        try:
            return address in operand
        except ValueError:
            return False  # A DNS name is in no network.

    return test


_SCALARS: frozenset[Kind] = frozenset({"choice", "text", "flag", "number", "version", "address"})
_LISTED: frozenset[Kind] = frozenset({"choice", "text", "number", "address"})
_ANY: frozenset[Kind] = _SCALARS | {"ports"}
_NUMBERS: frozenset[Kind] = frozenset({"number"})

OPERATORS: dict[str, Operator] = {
    one.name: one
    for one in (
        Operator(
            name="at_least",
            kinds=_NUMBERS,
            about="The number is this or more.",
            operand=_number,
            test=lambda operand: lambda value: value >= operand,
            inline="({v}.__class__ is not Missing and {v} >= {c})",
        ),
        Operator(
            name="at_most",
            kinds=_NUMBERS,
            about="The number is this or less.",
            operand=_number,
            test=lambda operand: lambda value: value <= operand,
            inline="({v}.__class__ is not Missing and {v} <= {c})",
        ),
        Operator(
            name="contains",
            kinds=frozenset({"ports"}),
            about="The range includes this port, or one of these.",
            operand=_contains,
            test=_has_port,
        ),
        Operator(
            name="equals",
            kinds=_SCALARS,
            about="It is this value; short form: the value itself.",
            operand=scalar,
            test=lambda operand: lambda value: bool(value == operand),
            inline="{v} == {c}",
        ),
        Operator(
            name="in",
            kinds=_LISTED,
            about="It is one of these values; short form: the list itself.",
            operand=_scalars,
            test=lambda operand: lambda value: value in operand,
            inline="{v} in {c}",
        ),
        Operator(
            name="matches",
            kinds=frozenset({"text", "address"}),
            about="The whole text fits a glob (`*`, `?`, `[ab]`), or one of several.",
            operand=_globs,
            test=_matches,
        ),
        Operator(
            name="not_in",
            kinds=_LISTED,
            about="It is none of these values; an absent fact is none of them.",
            operand=_scalars,
            test=lambda operand: lambda value: value not in operand,
        ),
        Operator(
            name="present",
            kinds=_ANY,
            about="The fact is there at all.",
            operand=_flag,
            test=lambda _operand: lambda _value: True,
        ),
        Operator(
            name="version_in",
            kinds=frozenset({"version"}),
            about='The version is in one of these ranges: [">=6.0,<6.2.20", ">=7.0,<7.2.11"].',
            operand=_ranges,
            test=_in_range,
        ),
        Operator(
            name="within",
            kinds=frozenset({"address"}),
            about="The address is in this network, or in one of these.",
            operand=_networks,
            test=_within,
        ),
    )
}
