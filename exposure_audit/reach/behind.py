"""What stands behind a front: instances, addresses, functions and further fronts, each through its own filters."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from exposure_audit.model.addresses import Family, count
from exposure_audit.model.exposure import Exposure, Hop, Truth
from exposure_audit.model.inventory import Front, Interface, Listener, Target
from exposure_audit.reach.emit import Place
from exposure_audit.reach.index import Index
from exposure_audit.reach.paths import ports_text
from exposure_audit.reach.posture import Row
from exposure_audit.reach.through import Destination, Leg, Step, as_client, as_front, worse
from exposure_audit.reach.world import World

_DEPTH = 4
"""A network load balancer may stand before an application load balancer. A circle must end."""


class Call(NamedTuple):
    """Clients that got as far as a listener of a front."""

    outer: Front
    """The front that the internet addresses."""
    front: Front
    """The front whose listener passes on: the same, or one behind it."""
    listener: Listener
    family: Family
    address: str
    hops: tuple[Hop, ...]
    row: Row
    depth: int = 0


def listener_hop(listener: Listener) -> Hop:
    """The listener as a hop."""
    name = ports_text(listener.protocol, listener.port_from, listener.port_to)
    spoken = f" ({listener.application})" if listener.application else ""
    return Hop(gate="listener", native_id=listener.native_id, text=f"listens on {name}{spoken}")


def _hop(gate: str, native_id: str, text: str, truth: Truth = "true") -> Hop:
    return Hop(gate=gate, native_id=native_id, text=text, truth=truth)


def _add(step: Step, hop: Hop) -> Step:
    return Step(step.sources, worse(step.truth, hop.truth), (*step.hops, hop))


def targets(world: World, call: Call) -> Iterator[Exposure]:
    """Walk the targets of a listener; those being drained get nothing new."""
    listener, front = call.listener, call.front
    start = Step(call.row.sources)
    if listener.targets is None:
        name = listener.target_group or listener.native_id
        why = world.index.why_missing(front.id, "target-group")
        doubt = _hop("target-group", world.index.native(name), f"what it passes to is unknown: {why}", "unknown")
        yield _write(world, call, _add(start, doubt), (front.id, front.native_id), None)
        return
    for target in sorted(listener.targets, key=lambda item: (item.native_id, item.port or 0, item.address)):
        if target.draining:
            continue
        port = listener.port_from if target.port is None else target.port
        step = _add(
            start, _hop("target", target.native_id, f"passes to {target.address or target.native_id} port {port}")
        )
        if target.kind == "front":
            yield from _further(world, call, target, port, step)
        elif target.kind == "function":
            yield _write(world, call, step, (target.asset, world.index.native(target.asset)), None)
        elif target.kind in {"instance", "address"}:
            yield from _interfaces(world, call, target, port, step)
        else:
            doubt = _hop("target", target.native_id, f"what {target.native_id} is could not be told", "unknown")
            yield _write(world, call, _add(step, doubt), (target.asset or front.id, target.native_id), port)


def _reached(call: Call, step: Step) -> Row:
    truth = worse(step.truth, call.row.truth)
    return msgspec.structs.replace(call.row, sources=step.sources, truth=truth, hops=(*call.row.hops, *step.hops))


def _write(world: World, call: Call, step: Step, whose: tuple[str, str], port: int | None) -> Exposure:
    """Write one exposure of `whose`, an asset id and its native id."""
    place = Place(*whose, call.address, call.family, "behind-front", call.outer.id, port, call.hops)
    return world.writer.exposure(place, _reached(call, step))


def _interfaces(world: World, call: Call, target: Target, port: int, start: Step) -> Iterator[Exposure]:
    found, sure = _meant(world.index, call, target)
    if not found:
        kind = "instance" if target.kind == "instance" else "address"
        why = world.index.why_missing(target.asset or call.front.id, "interface")
        doubt = _hop("target", target.native_id, f"no interface of this {kind} was read: {why}", "unknown")
        native_id = world.index.native(target.asset) if target.asset else target.native_id
        yield _write(world, call, _add(start, doubt), (target.asset or call.front.id, native_id), port)
        return
    for interface in found:
        if not interface.live:
            continue
        step = start
        if not sure:
            text = f"{target.native_id} has several interfaces; which one gets this was not said"
            step = _add(start, _hop("target", interface.native_id, text, "unknown"))
        owner = interface.asset or interface.id
        to = Destination(
            owner,
            world.index.native(owner),
            interface.filters,
            interface.network,
            (interface.subnet,),
            (target.address,) if target.address else interface.private_addresses,
        )
        for passed in _through(world, call, to, port, step):
            yield _write(world, call, passed, (owner, to.native_id), port)


def _meant(index: Index, call: Call, target: Target) -> tuple[list[Interface], bool]:
    """The interfaces that may be meant, and whether that is sure.

    A target by instance id is the primary interface; the others of the instance get nothing.
    """
    if target.kind == "address":
        held = index.interfaces_at.get(target.address, [])
        # Networks may use the same private addresses: the front's own comes first.
        near = [interface for interface in held if interface.network == call.front.network]
        return near or held, len(near or held) == 1 and (bool(near) or not call.front.network)
    held = index.interfaces_of.get(target.asset, [])
    primary = [interface for interface in held if interface.device == 0]
    return primary or held, len(primary or held) == 1


def _through(world: World, call: Call, to: Destination, port: int, start: Step) -> Iterator[Step]:
    """The clients that get through, for sure and perhaps."""
    family: Family = "ipv6" if to.addresses and all(":" in address for address in to.addresses) else "ipv4"
    leg = Leg(call.front, to, family, call.listener.protocol, port)
    keeps = call.listener.preserves_client
    # The client of one family cannot be shown to a target of the other.
    if family != call.family and to.addresses:
        keeps = False
    passed: list[Step] = []
    if keeps is not False:
        passed += as_client(world, leg, start.sources)
    if keeps is not True:
        passed += as_front(world, leg, start.sources)
    if keeps is None and passed:
        name = call.listener.target_group or call.listener.native_id
        text = "whether targets see the client or the front could not be read"
        doubt = _hop("target-group", world.index.native(name), text, "unknown")
        passed = [_add(max(passed, key=lambda step: count(step.sources)), doubt)]
    for step in passed:
        yield Step(step.sources, worse(start.truth, step.truth), (*start.hops, *step.hops))


def _further(world: World, call: Call, target: Target, port: int, start: Step) -> Iterator[Exposure]:
    """A front behind the front: an internal one is public through it."""
    inner = world.index.fronts.get(target.asset)
    if inner is None:
        why = world.index.why_missing(target.asset or call.front.id, "front")
        doubt = _hop("front", target.native_id, f"{target.native_id} could not be read: {why}", "unknown")
        asset = target.asset or call.front.id
        yield _write(world, call, _add(start, doubt), (asset, world.index.native(asset)), port)
        return
    if not inner.live or call.depth >= _DEPTH:
        return
    to = Destination(inner.id, inner.native_id, inner.filters, inner.network, inner.subnets, ())
    for passed in _through(world, call, to, port, start):
        if inner.listeners is None:
            why = world.index.why_missing(inner.id, "listener")
            doubt = _hop("listener", inner.native_id, f"its listeners could not be read: {why}", "unknown")
            yield _write(world, call, _add(passed, doubt), (inner.id, inner.native_id), port)
            continue
        for listener in inner.listeners:
            if listener.protocol != call.listener.protocol or not listener.port_from <= port <= listener.port_to:
                continue
            step = _add(passed, listener_hop(listener))
            yield _write(world, call, step, (inner.id, inner.native_id), port)
            if listener.passes:
                onward = call._replace(
                    front=inner, listener=listener, row=_reached(call, step), depth=call.depth + 1
                )
                yield from targets(world, onward)
