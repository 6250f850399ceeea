"""Puts the gates of a path into words: native ids, the very rule that allowed it, and how many more do."""

from collections.abc import Iterable

from exposure_audit.model.addresses import Intervals, count, intersect
from exposure_audit.model.exposure import Hop, Truth
from exposure_audit.model.traffic import NAMES
from exposure_audit.reach.filters import Clause, FilterSet, Pieces
from exposure_audit.reach.index import native_of
from exposure_audit.reach.routes import CERTAIN, CONDITIONAL, POSSIBLE, Leg, Routing
from exposure_audit.reach.subnet import CLIENT_PORTS, SubnetGate


def ports_text(protocol: int, low: int, high: int) -> str:
    """Say a protocol and its ports: `tcp 80`, `udp 0-65535`, `icmp`, `protocol 47`."""
    name = NAMES.get(protocol, f"protocol {protocol}")
    if name not in {"tcp", "udp"}:
        return name
    return f"{name} {low}" if low == high else f"{name} {low}-{high}"


def allowing(who: Iterable[Clause], sources: Intervals) -> list[Clause]:
    """The clauses that let some of these sources through, those of the unread first, then the broadest."""
    shares: list[tuple[int, Clause]] = []
    for clause in who:
        share = count(intersect(clause.sources, sources))
        if share or clause.unread:
            shares.append((share, clause))
    shares.sort(key=lambda s: (not s[1].unread, -s[0], s[1].low - s[1].high, s[1].filter, s[1].rule))
    return [clause for _, clause in shares]


def _hop(clauses: list[Clause]) -> Hop:
    """One filter's hop: its broadest rule, and how many more."""
    first = clauses[0]
    text = first.text or f"{first.filter} allows it"
    if first.unread and first.unread not in text:
        text = f"{text}: {first.unread}"
    if len(clauses) > 1:
        more = len(clauses) - 1
        text += f" (and {more} more rule{'s' if more > 1 else ''})"
    truth: Truth = "unknown" if first.unread else "true"
    return Hop(gate=first.kind, native_id=first.filter, rule=first.rule, text=text, truth=truth)


def single_hop(clause: Clause) -> Hop:
    """The hop of a clause that alone lets something through; put into words once."""
    if clause.hop is None:
        clause.hop = _hop([clause])
    return clause.hop


def filter_hops(who: Iterable[Clause], sources: Intervals) -> list[Hop]:
    """One hop a filter, the filter with the broadest rule first."""
    who = tuple(who)
    if len(who) == 1:
        return [single_hop(who[0])]
    by_filter: dict[str, list[Clause]] = {}
    for clause in allowing(who, sources):
        by_filter.setdefault(clause.filter, []).append(clause)
    return [_hop(clauses) for clauses in by_filter.values()]


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
    text = f"{name} routes {route.destination} to {target}"
    if more:
        text += f" (and {more} more route{'s' if more > 1 else ''})"
    if leg.level == CONDITIONAL:
        text += ", which decides"
    if leg.why:
        text += f"; {leg.why}"
    truth = {CERTAIN: "true", CONDITIONAL: "conditional", POSSIBLE: "unknown"}[leg.level]
    return Hop(gate="route", native_id=name, rule=route.destination, text=text, truth=truth)  # type: ignore[arg-type]


def acl_hops(gate: SubnetGate, protocol: int, low: int, high: int, sources: Intervals, *, level: int) -> list[Hop]:
    """The network ACL inwards, and outwards for the answer."""
    possible = level == POSSIBLE
    hops = filter_hops(_who(gate.inward.pieces(protocol, possible=possible), low, high), sources)
    if possible:
        hops += doubt_hops(gate.inward, hops)
    return hops


def answer_hops(gate: SubnetGate, protocol: int, sources: Intervals, *, level: int, crafted: bool) -> list[Hop]:
    """The network ACL outwards: which rule lets the answer go."""
    possible = level == POSSIBLE
    ports = (0, CLIENT_PORTS[0] - 1) if crafted else CLIENT_PORTS
    found = filter_hops(_who(gate.outward.pieces(protocol, possible=possible), *ports), sources)
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
        hops += doubt_hops(gate.outward, hops)
    return hops


def doubt_hops(filters: FilterSet, said: list[Hop]) -> list[Hop]:
    """Name every unread thing of a filter that no hop has named yet: a deny that may or may not hold."""
    known = {(hop.native_id, hop.rule) for hop in said if hop.truth == "unknown"}
    return [_hop([clause]) for clause in filters.doubts if (clause.filter, clause.rule) not in known]
