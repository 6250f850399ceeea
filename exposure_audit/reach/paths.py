"""Puts the gates of a path into words: native ids, the very rule that allowed it, and how many more do."""

from collections.abc import Iterable

from exposure_audit.model.addresses import Intervals, count, intersect
from exposure_audit.model.exposure import Hop, Truth
from exposure_audit.model.traffic import NAMES
from exposure_audit.reach.filters import FilterSet
from exposure_audit.reach.index import destination_name, native_of
from exposure_audit.reach.pieces import Clause, Pieces
from exposure_audit.reach.routes import CERTAIN, CONDITIONAL, POSSIBLE, Leg, Routing
from exposure_audit.reach.subnet import CLIENT_PORTS, SubnetGate


def ports_text(protocol: int, low: int, high: int) -> str:
    """Say a protocol and its ports: `tcp 80`, `udp 0-65535`, `icmp`, `protocol 47`."""
    name = NAMES.get(protocol, f"protocol {protocol}")
    if name not in {"tcp", "udp"}:
        return name
    return f"{name} {low}" if low == high else f"{name} {low}-{high}"


def allowing(who: Iterable[Clause], sources: Intervals, *, doubt: bool) -> list[Clause]:
    """The clauses that let some of these sources through, the broadest first; in doubt the unread ones lead."""
    shares: list[tuple[int, Clause]] = []
    for clause in who:
        share = count(intersect(clause.sources, sources))
        if share or (doubt and clause.unread):
            shares.append((share, clause))
    shares.sort(
        key=lambda item: (
            not (doubt and item[1].unread),
            -item[0],
            item[1].low - item[1].high,
            item[1].filter,
            item[1].rule,
            item[1].text,
            item[1].unread,
        )
    )
    return [clause for _, clause in shares]


def _hop(clauses: list[Clause], *, doubt: bool) -> Hop:
    """One filter's hop: its broadest rule, and how many more."""
    first = clauses[0]
    text = first.text or f"{first.filter} allows it"
    truth: Truth = "unknown" if doubt and first.unread else "true"
    if truth == "unknown" and first.unread not in text:
        text = f"{text}: {first.unread}"
    if len(clauses) > 1:
        more = len(clauses) - 1
        text += f" (and {more} more rule{'s' if more > 1 else ''})"
    return Hop(gate=first.kind, native_id=first.filter, rule=first.rule, text=text, truth=truth)


def filter_hops(who: Iterable[Clause], sources: Intervals, *, doubt: bool = False) -> list[Hop]:
    """One hop a filter, the filter with the broadest rule first.

    Without doubt the hops speak of what was read of a clause, with it of what was not.
    """
    who = tuple(who)
    if len(who) == 1 and not doubt:
        if who[0].hop is None:
            who[0].hop = _hop([who[0]], doubt=False)
        return [who[0].hop]
    by_filter: dict[str, list[Clause]] = {}
    for clause in allowing(who, sources, doubt=doubt):
        by_filter.setdefault(clause.filter, []).append(clause)
    return [_hop(clauses, doubt=doubt) for clauses in by_filter.values()]


def _who(pieces: Pieces, low: int, high: int) -> tuple[Clause, ...]:
    if len(pieces) == 1:
        return pieces[0].who
    return tuple(
        dict.fromkeys(clause for piece in pieces if piece.low <= high and piece.high >= low for clause in piece.who)
    )


def route_hops(table: Routing, sources: Intervals, level: int) -> list[Hop]:
    """The route that answers these sources: the broadest of the surest kind, and what is in doubt."""
    legs = [(count(intersect(leg.sources, sources)), leg) for leg in table.legs if leg.level <= level]
    legs = sorted(
        (item for item in legs if item[0]), key=lambda item: (item[1].level, -item[0], item[1].route.destination)
    )
    hops: list[Hop] = []
    for wanted in (CERTAIN, CONDITIONAL, POSSIBLE):
        mine = [leg for _, leg in legs if leg.level == wanted]
        if mine and (wanted > CERTAIN or level == CERTAIN or len(hops) == 0):
            hops.append(_route_hop(table.name, mine[0], len(mine) - 1))
    return hops


def _route_hop(name: str, leg: Leg, more: int) -> Hop:
    route = leg.route
    target = native_of(route.target_id) if route.target_id else route.target
    destination = destination_name(route.destination)
    text = f"{name} routes {destination} to {target}"
    if more:
        text += f" (and {more} more route{'s' if more > 1 else ''})"
    if leg.level == CONDITIONAL:
        text += ", which decides"
    if leg.why:
        text += f"; {leg.why}"
    truth = {CERTAIN: "true", CONDITIONAL: "conditional", POSSIBLE: "unknown"}[leg.level]
    return Hop(gate="route", native_id=name, rule=destination, text=text, truth=truth)  # type: ignore[arg-type]


def acl_hops(gate: SubnetGate, protocol: int, low: int, high: int, sources: Intervals, *, level: int) -> list[Hop]:
    """The network ACL inwards, and outwards for the answer."""
    possible = level == POSSIBLE
    hops = filter_hops(_who(gate.inward.pieces(protocol, possible=possible), low, high), sources, doubt=possible)
    if possible:
        hops += doubt_hops(gate.inward, protocol, low, high)
    return hops


def answer_hops(gate: SubnetGate, protocol: int, sources: Intervals, *, level: int, crafted: bool) -> list[Hop]:
    """The network ACL outwards: which rule lets the answer go."""
    possible = level == POSSIBLE
    ports = (0, CLIENT_PORTS[0] - 1) if crafted else CLIENT_PORTS
    found = filter_hops(_who(gate.outward.pieces(protocol, possible=possible), *ports), sources, doubt=possible)
    hops = [
        Hop(
            gate=hop.gate,
            native_id=hop.native_id,
            rule=hop.rule,
            text=f"answers to client ports {ports[0]}-{ports[1]} leave: {hop.text}",
            truth=hop.truth,
        )
        for hop in found
    ]
    if possible:
        hops += doubt_hops(gate.outward, protocol, *ports)
    return hops


def doubt_hops(filters: FilterSet, protocol: int, low: int, high: int) -> list[Hop]:
    """Name the denies of which something was not read: taken at their narrowest, they may yet hold."""
    return [
        _hop([clause], doubt=True)
        for clause in filters.doubts
        if not clause.allow and clause.protocol in {None, protocol} and clause.low <= high and clause.high >= low
    ]
