"""Load balancers: what answers on their listeners, and what is reached through them.

A front is reachable on listener ports x its own filters x its subnets' gates. Behind it each target is reachable
for the same clients, as far as the target's own filters let the front, or the preserved client, through.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from exposure_audit.model.addresses import Family, Intervals, normalise, subtract
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Front
from exposure_audit.model.traffic import ALL_PORTS, TCP, UDP
from exposure_audit.reach.behind import Call, listener_hop, targets
from exposure_audit.reach.emit import Place
from exposure_audit.reach.posture import Row
from exposure_audit.reach.world import World


def fronts(world: World) -> Iterator[Exposure]:
    """Walk every front that the internet may address."""
    for front in world.index.inventory.fronts:
        if front.public and front.live:
            for family in front.families:
                yield from _walk(world, front, family)


def _walk(world: World, front: Front, family: Family) -> Iterator[Exposure]:
    hop = Hop(gate="front", native_id=front.native_id, text=f"{front.dns_name} is internet-facing ({front.kind})")
    place = Place(front.id, front.native_id, front.dns_name or front.native_id, family, "front", hops=(hop,))
    if front.listeners is None:
        why = world.index.why_missing(front.id, "listener")
        doubt = Hop(
            gate="listener",
            native_id=front.native_id,
            text=f"the listeners of {front.native_id} could not be read: {why}",
            truth="unknown",
        )
        for protocol in (TCP, UDP):
            for row in entering(world, front, family, protocol, ALL_PORTS):
                yield world.writer.exposure(place, doubtful(row, doubt))
        return
    for listener in front.listeners:
        said, ports = listener_hop(listener), (listener.port_from, listener.port_to)
        for row in entering(world, front, family, listener.protocol, ports):
            reached = msgspec.structs.replace(row, hops=(*row.hops, said))
            yield world.writer.exposure(place, reached)
            if listener.passes and not row.one_way:
                yield from targets(world, Call(front, front, listener, family, place.address, (hop,), reached))


def doubtful(row: Row, doubt: Hop) -> Row:
    """The row with one more hop, of which something is unknown."""
    return msgspec.structs.replace(row, truth="unknown", hops=(*row.hops, doubt))


def entering(world: World, front: Front, family: Family, protocol: int, ports: tuple[int, int]) -> list[Row]:
    """What of these ports the internet reaches in any of the front's subnets."""
    subnets = tuple(sorted(set(front.subnets))) or ("",)
    found = [world.posture(front.filters, subnet, front.network, family).on(protocol, *ports) for subnet in subnets]
    if all(_same(found[0], rows) for rows in found[1:]):
        return found[0]
    return _anywhere([row for rows in found for row in rows])


def _same(left: list[Row], right: list[Row]) -> bool:
    return [_meaning(row) for row in left] == [_meaning(row) for row in right]


def _meaning(row: Row) -> tuple[int, int, Intervals, str, bool, bool]:
    return (row.low, row.high, row.sources, row.truth, row.one_way, row.crafted)


_SURENESS = {"true": 0, "conditional": 1, "unknown": 2}


def _anywhere(rows: list[Row]) -> list[Row]:
    """One node that lets a client in is enough: unite the rows of all subnets, the surest first."""
    kinds = sorted({(row.one_way, row.crafted) for row in rows})
    return [row for kind in kinds for row in _united([row for row in rows if (row.one_way, row.crafted) == kind])]


def _united(rows: list[Row]) -> Iterator[Row]:
    edges = sorted({edge for row in rows for edge in (row.low, row.high + 1)})
    for low, after in pairwise(edges):
        known: Intervals = ()
        for truth in _SURENESS:
            mine = [row for row in rows if row.truth == truth and row.low <= low and row.high >= after - 1]
            sources = normalise(pair for row in mine for pair in row.sources)
            if subtract(sources, known):
                known = normalise((*known, *sources))
                yield msgspec.structs.replace(mine[0], low=low, high=after - 1, sources=known)
