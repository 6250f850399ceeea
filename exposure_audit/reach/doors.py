"""Managed services with an endpoint of their own: reachable when the service says so and its network agrees.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html: a publicly
accessible database still needs a subnet with an internet gateway route, and a network ACL and a security group that
allow its port.
"""

from collections.abc import Iterator

import msgspec

from exposure_audit.model.addresses import Intervals, intersect, normalise
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Door
from exposure_audit.reach.emit import Place
from exposure_audit.reach.index import native_of
from exposure_audit.reach.posture import Row
from exposure_audit.reach.world import World


def doors(world: World) -> Iterator[Exposure]:
    """Walk every service endpoint."""
    for door in world.index.inventory.doors:
        if door.live and door.public is not False:
            yield from _walk(world, door)


def _walk(world: World, door: Door) -> Iterator[Exposure]:
    known = door.public is not None
    hop = Hop(
        gate="door",
        native_id=door.native_id,
        text=f"{door.native_id} ({door.service}) is publicly accessible"
        if known
        else f"whether {door.native_id} is publicly accessible is unknown: "
        f"{world.index.why_missing(door.id, 'door')}",
        truth="true" if known else "unknown",
    )
    place = Place(door.id, door.native_id, door.dns_name or door.native_id, door.family, "service", hops=(hop,))
    for row in reaching(world, door):
        yield world.writer.exposure(place, row if known else msgspec.structs.replace(row, truth="unknown"))


def reaching(world: World, door: Door) -> list[Row]:
    """The rows of a door's port. In several possible subnets only what holds in all of them is sure."""
    subnets = tuple(sorted(set(door.subnets))) or ("",)
    rows = [
        world.posture(door.filters, subnet, door.network, door.family).on(door.transport, door.port, door.port)
        for subnet in subnets
    ]
    if len(subnets) == 1:
        return rows[0]
    return [row for odd in (False, True) for row in _somewhere(door, subnets, rows, crafted=odd)]


def _somewhere(door: Door, subnets: tuple[str, ...], rows: list[list[Row]], *, crafted: bool) -> Iterator[Row]:
    mine = [[row for row in found if row.crafted == crafted and not row.one_way] for found in rows]
    best = next((row for found in mine for row in found), None)
    if best is None:
        return
    sure: Intervals | None = None
    for found in mine:
        here = normalise(pair for row in found if row.truth == "true" for pair in row.sources)
        sure = here if sure is None else intersect(sure, here)
    if sure:
        clear = next(row for found in mine for row in found if row.truth == "true")
        yield msgspec.structs.replace(clear, sources=sure)
    possible = normalise(pair for found in mine for row in found for pair in row.sources)
    if possible != sure:
        names = ", ".join(native_of(subnet) for subnet in subnets)
        hop = Hop(
            gate="subnet",
            native_id=native_of(subnets[0]),
            text=f"which of its subnets {door.native_id} is in was not said: {names}",
            truth="unknown",
        )
        yield msgspec.structs.replace(best, sources=possible, truth="unknown", hops=(hop, *best.hops))
