"""Where the answers go: the longest matching prefix of a subnet's route table, for every source at once.

https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html: the most specific route wins, a
blackhole that wins drops, and among equal prefixes a static route beats one by prefix list, which
beats a propagated one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from exposure_audit.model.addresses import Family, Interval, Intervals, intersect, normalise, subtract
from exposure_audit.model.inventory import Route, RouteTable
from exposure_audit.reach.index import SPACE, Index, destination_name

CERTAIN, CONDITIONAL, POSSIBLE = 0, 1, 2
"""How sure we are that an answer leaves to the internet. Each level holds those before it."""

_LEVEL = {"internet": CERTAIN, "middlebox": CONDITIONAL, "interface": CONDITIONAL, "unknown": POSSIBLE}
"""No other target answers the internet: `nat` changes the address, `egress-only` takes nothing in."""


class Leg(NamedTuple):
    """The sources that one route decides about."""

    route: Route
    sources: Intervals
    level: int
    why: str = ""
    """What could not be read, for level POSSIBLE."""


class Routing(NamedTuple):
    """Sources by level, cumulative, and the legs that make them."""

    levels: tuple[Intervals, Intervals, Intervals]
    legs: tuple[Leg, ...]
    name: str = ""
    """The native id of the table."""


class _Entry(NamedTuple):
    interval: Interval
    rank: int
    route: Route


def _rank(route: Route, *, by_list: bool) -> int:
    if route.propagated:
        return 2
    return 1 if by_list else 0


def _expand(index: Index, table: RouteTable, family: Family) -> tuple[list[_Entry], list[Leg]]:
    """Return the prefixes of a family, and the routes whose prefixes could not be read."""
    entries: list[_Entry] = []
    unread: list[Leg] = []
    for route in table.routes:
        one = index.cidr(route.destination)
        if one is not None:
            if one[0] == family:
                entries.append(_Entry(one[1], _rank(route, by_list=False), route))
            continue
        texts, why = index.entries(route.destination)
        listed = (parsed for parsed in map(index.cidr, texts) if parsed and parsed[0] == family)
        entries.extend(_Entry(interval, _rank(route, by_list=True), route) for _, interval in listed)
        if why:
            unread.append(Leg(route, SPACE[family], POSSIBLE, why))
    # The narrowest first: what is left for a wider one is what no narrower one took.
    entries.sort(key=lambda e: (e.interval[1] - e.interval[0], e.interval[0], e.rank, e.route.target_id))
    return entries, unread


def _gate(index: Index, route: Route, network: str) -> tuple[int | None, str]:
    """Return the level of a route, None when it carries nothing to the internet, and what was unread."""
    if not route.active:
        return None, ""
    level = _LEVEL.get(route.target)
    if route.target == "unknown":
        return POSSIBLE, f"where the route {destination_name(route.destination)} leads could not be told"
    if route.target != "internet":
        return level, ""
    gateway = index.gateways.get(route.target_id)
    if gateway is None:
        if not route.target_id and index.gateways_of(network):
            return CERTAIN, ""
        return POSSIBLE, f"gateway {route.target_id or '?'}: {index.why_missing(route.target_id, 'gateway')}"
    attached = gateway.kind == "internet" and network in gateway.networks
    return (CERTAIN, "") if attached else (None, "")


def _legs(index: Index, entries: list[_Entry], network: str, family: Family) -> Iterator[Leg]:
    left = SPACE[family]
    i = 0
    while i < len(entries) and left:
        # Equal prefixes of equal rank with different ends: the provider picks one, and does not say which.
        tie = [entries[i]]
        while i + len(tie) < len(entries) and entries[i + len(tie)].interval == entries[i].interval:
            tie.append(entries[i + len(tie)])
        i += len(tie)
        taken = intersect(left, (tie[0].interval,))
        if not taken:
            continue
        left = subtract(left, taken)
        winners = [entry.route for entry in tie if entry.rank == tie[0].rank]
        gates = {_gate(index, route, network) for route in winners}
        level, why = _gate(index, winners[0], network)
        if len({found for found, _ in gates}) > 1:
            level, why = POSSIBLE, f"several routes for {destination_name(winners[0].destination)} compete"
        if level is not None:
            yield Leg(winners[0], taken, level, why)


def routing(index: Index, table: RouteTable, network: str, family: Family) -> Routing:
    """Compute for which sources an answer leaves by an internet gateway that is attached to the network."""
    entries, unread = _expand(index, table, family)
    legs = list(_legs(index, entries, network, family))
    own = index.networks.get(network)
    inside = index.intervals(own.cidrs, family) if own else ()
    levels = [
        subtract(normalise(pair for leg in legs if leg.level <= level for pair in leg.sources), inside)
        for level in (CERTAIN, CONDITIONAL, POSSIBLE)
    ]
    for leg in unread:
        level, why = _gate(index, leg.route, network)
        if level == CERTAIN:
            levels[POSSIBLE] = subtract(SPACE[family], inside)
        else:
            # Any part of the internet may be led away, so none is reached for sure.
            possible = level is not None
            levels = [(), (), subtract(SPACE[family], inside) if possible else levels[POSSIBLE]]
        legs.append(Leg(leg.route, leg.sources, POSSIBLE, leg.why or why))
    certain, conditional, possible_sources = levels
    return Routing((certain, conditional, possible_sources), tuple(legs), table.native_id)


def edge_level(index: Index, network: str, cidrs: Intervals, family: Family) -> tuple[int | None, str, str]:
    """Say what a gateway's own route table does to traffic for a subnet: (level, table, what it says).

    https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html: routes for the whole network or a
    whole subnet may lead to an appliance. None: it drops the traffic.
    """
    best: tuple[int | None, str, str] | None = None
    for gateway in index.gateways_of(network):
        table = index.edge_table(gateway.id)
        found = _edge(index, table, cidrs, family) if table else (CERTAIN, "", "")
        if best is None or _openness(found[0]) > _openness(best[0]):
            best = found
    return best or (CERTAIN, "", "")


def _openness(level: int | None) -> int:
    return -1 if level is None else POSSIBLE - level


def _edge(index: Index, table: RouteTable, cidrs: Intervals, family: Family) -> tuple[int | None, str, str]:
    entries, unread = _expand(index, table, family)
    where = cidrs or ((0, 1 << 128),)
    for entry in entries:
        covers = intersect(where, (entry.interval,))
        if not covers:
            continue
        route = entry.route
        where_to = destination_name(route.destination)
        if not route.active or route.target == "none":
            return None, table.native_id, f"{table.native_id} drops {where_to}"
        if route.target == "unknown":
            return POSSIBLE, table.native_id, f"where {table.native_id} leads {where_to} could not be told"
        if route.target != "local":
            named = index.native(route.target_id) if route.target_id else route.target
            return (
                CONDITIONAL,
                table.native_id,
                f"{table.native_id} leads {where_to} to {named}, which decides",
            )
        if cidrs and not unread:
            return CERTAIN, "", ""
    if unread:
        return POSSIBLE, table.native_id, unread[0].why
    return CERTAIN, "", ""
