"""What filters let through, for the three ways in which clouds read their rules.

- `union-of-allows`: the rules of all filters are one heap, any allow is enough (AWS security groups,
  https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html).
- `first-match`: each filter alone, rules in order, the first that matches decides (network ACLs,
  https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html).
- `priority-drop-first`: the rules of all filters are one list by priority, at equal priority a drop comes first
  (https://www.alibabacloud.com/help/en/ecs/user-guide/security-group-rules).

One sweep over the port axis serves all three: between two edges the same rules are active, and they are asked once.
Each answer is given twice, `certain` and `possible`: an allow whose sources could not be read opens nothing for
sure and anything perhaps; a deny the other way round.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from exposure_audit.model.addresses import Family, Intervals, intersect, normalise, subtract
from exposure_audit.model.inventory import Filter, Rule
from exposure_audit.model.traffic import ALL_PORTS
from exposure_audit.reach.index import SPACE, Index, native_of
from exposure_audit.reach.pieces import Clause, Piece, Pieces, both, join

Direction = Literal["ingress", "egress"]
Book = dict[tuple[str, Family, Direction], tuple[Clause, ...]]
_Decide = Callable[[Sequence[Clause]], tuple[Intervals, tuple[Clause, ...]]]


def clause_of(item: Filter, rule: Rule, sources: Intervals, unread: str) -> Clause:
    """Read a rule. The ports of a rule for every protocol mean nothing (EC2 API, IpPermission)."""
    low, high = (rule.port_from, rule.port_to) if rule.protocol is not None else ALL_PORTS
    return Clause(
        item.kind,
        item.native_id,
        rule.native_id,
        rule.text,
        rule.allow,
        rule.order,
        rule.protocol,
        low,
        high,
        sources,
        unread,
    )


def stand_in(kind: str, native_id: str, space: Intervals, why: str) -> Clause:
    """What a filter that could not be read may be: a rule that allows everything."""
    return Clause(kind, native_id, "", why, True, 0, None, *ALL_PORTS, space, why)


def sweep(clauses: Sequence[Clause], decide: _Decide, *, whole_axis: bool) -> Pieces:
    """Ask `decide` once for each stretch of the port axis on which the same clauses are active."""
    edges = {edge for clause in clauses for edge in (clause.low, clause.high + 1)}
    if whole_axis:
        edges |= {ALL_PORTS[0], ALL_PORTS[1] + 1}
    waiting = sorted(clauses, key=lambda clause: clause.low)
    active: list[Clause] = []
    pieces: list[Piece] = []
    following = 0
    for low, after in pairwise(sorted(edges)):
        active = [clause for clause in active if clause.high >= low]
        while following < len(waiting) and waiting[following].low <= low:
            active.append(waiting[following])
            following += 1
        if active or whole_axis:
            sources, who = decide(active)
            if sources:
                pieces.append(Piece(low, after - 1, sources, who))
    return join(pieces)


def _any_allow(active: Sequence[Clause]) -> tuple[Intervals, tuple[Clause, ...]]:
    if len(active) == 1:
        return active[0].sources, (active[0],)
    return normalise(pair for clause in active for pair in clause.sources), tuple(active)


def _in_order(space: Intervals, default_allow: bool) -> _Decide:
    def decide(active: Sequence[Clause]) -> tuple[Intervals, tuple[Clause, ...]]:
        left = space
        passed: list[tuple[int, int]] = []
        who: list[Clause] = []
        for clause in sorted(active, key=lambda clause: (clause.order, clause.allow)):
            taken = intersect(clause.sources, left)
            if not taken:
                continue
            left = subtract(left, taken)
            if clause.allow:
                passed += taken
                who.append(clause)
        if default_allow:
            passed += left
        return normalise(passed), tuple(who)

    return decide


class _Stage(NamedTuple):
    """Clauses that are read together."""

    clauses: tuple[Clause, ...]
    ordered: bool
    default_allow: bool
    unread: tuple[Clause, ...]
    """Filters that could not be read: as if each allowed everything."""


class FilterSet:
    """All filters that a packet meets at one place, for one family and direction.

    `doubts` are the clauses of which something could not be read.
    """

    def __init__(
        self,
        index: Index,
        ids: Iterable[str] | None,
        family: Family,
        *,
        direction: Direction = "ingress",
        kind: str = "security-group",
        space: Intervals | None = None,
        groups: Iterable[str] = (),
        book: Book | None = None,
    ) -> None:
        """Read the filters with these asset ids; None means that there is no filter and everything passes.

        `space` is where the other side may be, the public space unless said; `groups` are the filters that the
        addresses of `space` are members of, for rules that name a group instead of addresses. `book` remembers
        the clauses of a filter for other sets of the same space.
        """
        self._book: Book = {} if book is None else book
        self._index = index
        self._groups = frozenset(groups)
        self._family = family
        self._direction = direction
        self._space = SPACE[family] if space is None else space
        self._memo: dict[tuple[int, bool], Pieces] = {}
        self._stages = self._build(tuple(sorted(set(ids))) if ids is not None else None, kind)
        doubts = [clause for stage in self._stages for clause in (*stage.unread, *stage.clauses) if clause.unread]
        self.doubts = tuple(sorted(doubts, key=lambda clause: (clause.filter, clause.rule, clause.unread)))

    def _build(self, ids: tuple[str, ...] | None, kind: str) -> list[_Stage]:
        if ids is None:
            return []
        if not ids:
            return [_Stage((), ordered=False, default_allow=False, unread=(self._nothing_named(kind),))]
        known = [self._index.filters[name] for name in ids if name in self._index.filters]
        missing = tuple(self._missing(name, kind) for name in ids if name not in self._index.filters)
        stages: list[_Stage] = []
        heap = [item for item in known if item.semantics == "union-of-allows"]
        queue = [item for item in known if item.semantics == "priority-drop-first"]
        alone = [[item] for item in known if item.semantics == "first-match"]
        for group, ordered in ((heap, False), (queue, True), *((one, True) for one in alone)):
            if group:
                clauses = tuple(clause for item in group for clause in self._read(item))
                default_allow = any(item.default_allow for item in group)
                # An unread filter joins those it would be read with; one that would stand alone does so below.
                unread = missing if group in (heap, queue) else ()
                stages.append(_Stage(clauses, ordered, default_allow, unread))
        if missing and not heap and not queue:
            stages.append(_Stage((), ordered=True, default_allow=False, unread=missing))
        return stages

    def _read(self, item: Filter) -> tuple[Clause, ...]:
        key = (item.id, self._family, self._direction)
        if key not in self._book:
            self._book[key] = tuple(self._clauses(item))
        return self._book[key]

    def _clauses(self, item: Filter) -> Iterable[Clause]:
        for rule in item.ingress if self._direction == "ingress" else item.egress:
            if item.semantics == "union-of-allows" and not rule.allow:
                continue
            sources, unread = self._who(rule)
            if sources or unread:
                yield clause_of(item, rule, sources, unread)

    def _who(self, rule: Rule) -> tuple[Intervals, str]:
        """The part of the space that a rule means, and why it may be more."""
        if self._groups and self._groups.intersection(rule.groups):
            return self._space, ""
        if not rule.address_lists and len(rule.cidrs) <= 1:
            if not rule.cidrs:
                return (), ""
            one = self._index.public_part(rule.cidrs[0])
            if one and one[0] != self._family:
                return (), ""
            if one and self._space is SPACE[self._family]:
                return one[1], ""
        known, unread = self._index.sources(rule, self._family)
        return intersect(known, self._space), unread

    def _missing(self, name: str, kind: str) -> Clause:
        native = native_of(name)
        why = f"{native} could not be read: {self._index.why_missing(name, 'filter')}"
        return stand_in(kind, native, self._space, why)

    def _nothing_named(self, kind: str) -> Clause:
        why = f"no {kind.replace('-', ' ')} is named here, so what passes is not known"
        return stand_in(kind, "", self._space, why)

    def numbers(self) -> set[int]:
        """The protocol numbers that some rule names."""
        found = {clause.protocol for stage in self._stages for clause in stage.clauses if clause.allow}
        return {number for number in found if number is not None}

    def pieces(self, protocol: int, *, possible: bool) -> Pieces:
        """What passes, for sure or possibly; both are the same object when nothing was unread."""
        possible = possible and bool(self.doubts)
        key = (protocol, possible)
        if key not in self._memo:
            found: Pieces | None = None
            for stage in self._stages:
                mine = self._stage(stage, protocol, possible=possible)
                found = mine if found is None else both(found, mine)
            self._memo[key] = self._open() if found is None else found
        return self._memo[key]

    def _open(self) -> Pieces:
        return (Piece(*ALL_PORTS, self._space, ()),)

    def _stage(self, stage: _Stage, protocol: int, *, possible: bool) -> Pieces:
        if stage.unread and possible:
            return (Piece(*ALL_PORTS, self._space, stage.unread),)
        if stage.unread and stage.ordered:
            return ()
        active = [clause for clause in stage.clauses if clause.protocol is None or clause.protocol == protocol]
        if self.doubts:
            active = [self._assumed(clause, open_wide=clause.allow == possible) for clause in active]
        decide = _in_order(self._space, stage.default_allow) if stage.ordered else _any_allow
        return sweep(active, decide, whole_axis=stage.default_allow)

    def _assumed(self, clause: Clause, *, open_wide: bool) -> Clause:
        """An unread clause means everybody or only whom we know, whichever the question needs."""
        if not clause.unread or not open_wide:
            return clause
        return msgspec.structs.replace(clause, sources=self._space)
