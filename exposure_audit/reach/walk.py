"""Interfaces with public addresses: instances, tasks, appliances, and services that own interfaces."""

from collections.abc import Iterator

import msgspec

from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Interface, Noun
from exposure_audit.reach.emit import Place
from exposure_audit.reach.posture import Row
from exposure_audit.reach.world import World

_FOLDED: dict[str, Noun] = {"elb": "front", "rds": "door"}
"""Interfaces of these services are told by the service itself: only its listeners answer there."""


def interfaces(world: World) -> Iterator[Exposure]:
    """Walk every interface that takes traffic."""
    for interface in world.index.inventory.interfaces:
        if not (interface.live and interface.inbound and interface.addresses):
            continue
        doubt = folded(world, interface)
        if doubt is None:
            continue
        yield from _walk(world, interface, doubt)


def folded(world: World, interface: Interface) -> tuple[Hop, ...] | None:
    """None when a front or door speaks for this interface; else the hops that say why nobody can."""
    if interface.asset in world.index.fronts or interface.asset in world.index.doors:
        return None
    noun = _FOLDED.get(interface.service)
    if noun is None:
        return ()
    why = world.index.unread(interface.id, noun)
    if not why:
        return None
    text = f"{interface.native_id} belongs to a {interface.service} service that could not be read: {why}"
    return (Hop(gate=noun, native_id=interface.native_id, text=text, truth="unknown"),)


def _walk(world: World, interface: Interface, doubt: tuple[Hop, ...]) -> Iterator[Exposure]:
    owner = interface.asset or interface.id
    native_id = world.index.native(owner)
    for address in interface.addresses:
        behind = f" in front of {address.private}" if address.private and address.private != address.address else ""
        hop = Hop(
            gate="address",
            native_id=address.native_id or interface.native_id,
            text=f"{address.address}{behind} on {interface.native_id}",
        )
        place = Place(owner, native_id, address.address, address.family, "direct", hops=(hop, *doubt))
        posture = world.posture(interface.filters, interface.subnet, interface.network, address.family)
        for row in posture.rows:
            yield world.writer.exposure(place, doubtful(row) if doubt else row)


def doubtful(row: Row) -> Row:
    """The same row, of which something before it is unknown."""
    return msgspec.structs.replace(row, truth="unknown")
