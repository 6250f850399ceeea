"""Compiles all rules to Python functions, one for each kind of row, made when that kind is first seen.

A few facts have few values (verdict, service, breadth …). Their values are taken from a row as one tuple. For each
tuple that occurs, every rule is specialised: matchers on those facts are settled, rules that cannot match vanish,
and what remains becomes one generated function. Most rows meet no rule at all and cost one look-up.

Unknown needs no third value at run time: an answer is *possible* or not, and *certain* or not. `not` swaps the two.
The generated text holds names of our own making alone; every word of a rule is bound as a constant.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec

from exposure_audit.judge.conditions import All, Condition, Const, Leaf, Not, decide, flat, leaves, rewrite
from exposure_audit.judge.facts import Fact
from exposure_audit.judge.rows import Row, Subject
from exposure_audit.judge.values import UNKNOWN, Missing

Hit = tuple[int, Row, bool]
"""Number of the entry, the row, and whether it is certain; otherwise it is possible."""

_Function = Callable[[Row, Callable[[Hit], None]], None]


class Entry(msgspec.Struct, frozen=True, eq=False):
    """A condition and the subjects that it is asked of."""

    subjects: frozenset[Subject]
    condition: Condition


class Program:
    """Compiled conditions; `run` answers them for many rows."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(Entry(entry.subjects, flat(entry.condition)) for entry in entries)
        self.subjects: frozenset[Subject] = frozenset().union(*(entry.subjects for entry in self._entries))
        used = {one.fact.column for entry in self._entries for one in leaves(entry.condition)}
        columns = sorted(used - {""})
        self._columns = {name: index for index, name in enumerate(("subject", *columns))}
        # Named twice so that it always returns a tuple.
        self._key: Callable[[Row], Any] = attrgetter("subject", *columns, "subject")
        self._functions: dict[Any, _Function | None] = {}

    def run(self, rows: Iterable[Row], found: Callable[[Hit], None]) -> None:
        """Call `found` for each entry that certainly or possibly holds, rows in order, entries in order."""
        key, functions = self._key, self._functions
        for row in rows:
            kind = key(row)
            try:
                function = functions[kind]
            except KeyError:
                function = functions[kind] = self._specialise(kind)
            if function is not None:
                function(row, found)

    def _specialise(self, kind: tuple[Any, ...]) -> _Function | None:
        def settle(matcher: Leaf) -> Condition:
            if matcher.fact.column:
                return Const(decide(matcher, kind[self._columns[matcher.fact.column]]))
            return matcher

        kept = []
        for number, entry in enumerate(self._entries):
            if kind[0] in entry.subjects:
                condition = rewrite(entry.condition, settle)
                if not (isinstance(condition, Const) and condition.value is False):
                    kept.append((number, condition))
        return _Writer().function(kept) if kept else None


class _Writer:
    """Writes one function."""

    def __init__(self) -> None:
        self._bound: dict[str, object] = {"U": UNKNOWN, "Missing": Missing}
        self._facts: dict[str, str] = {}

    def function(self, conditions: Iterable[tuple[int, Condition]]) -> _Function:
        body = []
        for number, condition in conditions:
            possible = self._possible(condition)
            certain = self._certain(condition)
            body.append(f"    if {possible}:\n        found(({number}, row, {certain}))")
        reads = [f"    v{index} = g{index}(row)" for index in range(len(self._facts))]
        source = "\n".join(("def match(row, found):", *reads, *body))
        scope: dict[str, Any] = dict(self._bound)
        # Only names that this class made up are in the text: see the module's docstring.
        exec(compile(source, "<rules>", "exec"), scope)  # noqa: S102
        made: _Function = scope["match"]
        return made

    def _value(self, fact: Fact) -> str:
        if fact.name not in self._facts:
            index = len(self._facts)
            self._facts[fact.name] = f"v{index}"
            self._bound[f"g{index}"] = fact.read
        return self._facts[fact.name]

    def _constant(self, value: object) -> str:
        name = f"c{len(self._bound)}"
        self._bound[name] = value
        return name

    def _holds(self, matcher: Leaf) -> str:
        value = self._value(matcher.fact)
        if matcher.operator.inline:
            return matcher.operator.inline.format(v=value, c=self._constant(matcher.operand))
        if matcher.operator.name == "present":
            return f"({value}.__class__ is not Missing)"
        return f"({value}.__class__ is not Missing and {self._constant(matcher.test)}({value}))"

    def _possible(self, condition: Condition) -> str:
        if isinstance(condition, Const):
            return str(condition.value is not False)
        if isinstance(condition, Leaf):
            return f"({self._value(condition.fact)} is U or {self._holds(condition)})"
        if isinstance(condition, Not):
            return f"(not {self._certain(condition.part)})"
        word = " and " if isinstance(condition, All) else " or "
        return f"({word.join(self._possible(part) for part in condition.parts)})"

    def _certain(self, condition: Condition) -> str:
        if isinstance(condition, Const):
            return str(condition.value is True)
        if isinstance(condition, Leaf):
            return f"({self._holds(condition)})"
        if isinstance(condition, Not):
            return f"(not {self._possible(condition.part)})"
        word = " and " if isinstance(condition, All) else " or "
        return f"({word.join(self._certain(part) for part in condition.parts)})"
