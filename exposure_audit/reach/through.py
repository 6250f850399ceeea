"""Whether a front's traffic gets through the filters of what stands behind it.

With the client's address preserved, filters and ACLs see the client (NLB guide, "Client IP preservation"); a rule
that names the front's own group admits it all the same. Without it they see the front's private addresses, and the
front's own groups must let it out (ALB guide, "Update the security groups"). A node of the front in the target's
own subnet passes no network ACL: those are looked at between subnets only (VPC guide, "Network ACL basics").
"""

from collections.abc import Iterator
from typing import NamedTuple

from exposure_audit.model.addresses import Family, Intervals, intersect, normalise, subtract
from exposure_audit.model.exposure import Hop, Truth
from exposure_audit.model.inventory import Front
from exposure_audit.model.traffic import ALL_PORTS, TCP, UDP
from exposure_audit.reach.filters import Direction, FilterSet
from exposure_audit.reach.index import native_of
from exposure_audit.reach.paths import doubt_hops, filter_hops
from exposure_audit.reach.pieces import Clause, Pieces, anyone
from exposure_audit.reach.subnet import CLIENT_PORTS
from exposure_audit.reach.world import World

ORDER: dict[Truth, int] = {"true": 0, "conditional": 1, "unknown": 2}


def worse(left: Truth, right: Truth) -> Truth:
    """The less sure of two truths."""
    return max(left, right, key=ORDER.__getitem__)


class Destination(NamedTuple):
    """What a target means: an interface, or a further front."""

    asset: str
    native_id: str
    filters: tuple[str, ...] | None
    network: str
    subnets: tuple[str, ...]
    addresses: tuple[str, ...]
    """Private ones."""


class Step(NamedTuple):
    """What a gate leaves of the clients."""

    sources: Intervals
    truth: Truth = "true"
    hops: tuple[Hop, ...] = ()


class Leg(NamedTuple):
    """One connection from a front to a destination."""

    front: Front
    to: Destination
    family: Family
    """Of the destination's address: a client of the other family is never preserved."""
    protocol: int
    port: int


class _Node(NamedTuple):
    """Where a front sends from: an address of its own, or, when those are not known, anywhere in a subnet."""

    subnet: str
    space: Intervals
    exact: bool


def who_at(pieces: Pieces, low: int, high: int) -> tuple[Clause, ...]:
    """The clauses that let something through on these ports."""
    return tuple(clause for piece in pieces if piece.low <= high and piece.high >= low for clause in piece.who)


def _answer_ports(protocol: int) -> tuple[int, int]:
    return CLIENT_PORTS if protocol in {TCP, UDP} else ALL_PORTS


def as_client(world: World, leg: Leg, clients: Intervals) -> list[Step]:
    """The clients that get through with their own addresses, for sure and perhaps."""
    own = world.inner_filters(
        leg.to.filters, leg.family, space=clients, groups=leg.front.filters or (), direction="ingress"
    )
    shared = bool(set(leg.to.subnets) & set(leg.front.subnets))
    steps: list[Step] = []
    for possible in (False, True):
        pieces = own.pieces(leg.protocol, possible=possible)
        sources = intersect(anyone(pieces, leg.port, leg.port), clients)
        hops = filter_hops(who_at(pieces, leg.port, leg.port), sources, doubt=possible)
        hops += doubt_hops(own, leg.protocol, leg.port, leg.port) if possible else []
        if not shared:
            passed = [
                _client_acl(world, leg, subnet, sources, possible=possible) for subnet in leg.to.subnets or ("",)
            ]
            sources = normalise(pair for step in passed for pair in step.sources)
            hops += next((list(step.hops) for step in passed if step.sources), [])
        before = steps[0].sources if steps else ()
        if subtract(sources, before):
            steps.append(Step(sources, "unknown" if possible else "true", tuple(hops)))
    return steps


def _client_acl(world: World, leg: Leg, subnet: str, clients: Intervals, *, possible: bool) -> Step:
    """The ACL of the destination's subnet, both ways; the way back through the front needs no route."""
    gate = world.gate(subnet, leg.to.network, leg.family)
    if gate.acl_doubt and not possible:
        return Step(())
    inward = gate.inward.pieces(leg.protocol, possible=possible)
    outward = gate.outward.pieces(leg.protocol, possible=possible)
    sources = intersect(
        intersect(clients, anyone(inward, leg.port, leg.port)), anyone(outward, *_answer_ports(leg.protocol))
    )
    hops = filter_hops(who_at(inward, leg.port, leg.port), sources, doubt=possible)
    return Step(sources, "true", (*hops, *([gate.acl_doubt] if gate.acl_doubt else [])))


def as_front(world: World, leg: Leg, clients: Intervals) -> list[Step]:
    """All clients, when any node of the front gets through with its private address."""
    nodes = _nodes(world, leg)
    for possible in (False, True):
        for node in nodes:
            hops = list(_from_node(world, leg, node, possible=possible))
            if hops:
                return [Step(clients, "unknown" if possible else "true", tuple(hops))]
    if not nodes:
        text = (
            f"from where {leg.front.native_id} sends is unknown: neither its interfaces nor its subnets were read"
        )
        return [
            Step(
                clients, "unknown", (Hop(gate="front", native_id=leg.front.native_id, text=text, truth="unknown"),)
            )
        ]
    return []


def _nodes(world: World, leg: Leg) -> list[_Node]:
    found: list[_Node] = []
    for interface in world.index.interfaces_of.get(leg.front.id, ()):
        space = world.index.intervals(interface.private_addresses, leg.family)
        if space:
            found.append(_Node(interface.subnet, space, exact=True))
    if found:
        return found
    for name in leg.front.subnets:
        subnet = world.index.subnets.get(name)
        space = world.index.intervals(subnet.cidrs, leg.family) if subnet else ()
        if space:
            found.append(_Node(name, space, exact=False))
    return found


def _from_node(world: World, leg: Leg, node: _Node, *, possible: bool) -> Iterator[Hop]:
    """The hops of one node's way; none when it does not get through."""
    there = world.index.intervals(leg.to.addresses, leg.family)
    front_groups = leg.front.filters or ()
    out = world.inner_filters(
        leg.front.filters, leg.family, space=there, groups=leg.to.filters or (), direction="egress"
    )
    own = world.inner_filters(
        leg.to.filters, leg.family, space=node.space, groups=front_groups, direction="ingress"
    )
    pieces = own.pieces(leg.protocol, possible=possible)
    admitted = anyone(pieces, leg.port, leg.port)
    let_out = anyone(out.pieces(leg.protocol, possible=possible), leg.port, leg.port)
    # Anywhere in a subnet is only sure to be admitted when all of the subnet is.
    if not admitted or (there and not let_out) or not (node.exact or possible or admitted == node.space):
        return
    acls = [] if node.subnet in leg.to.subnets else list(_between(world, leg, node, there, possible=possible))
    if None in acls:
        return
    hops = filter_hops(who_at(pieces, leg.port, leg.port), admitted, doubt=possible)
    if possible:
        hops += [hop for side in (own, out) for hop in doubt_hops(side, leg.protocol, leg.port, leg.port)]
        if not node.exact and admitted != node.space:
            name = native_of(node.subnet)
            text = f"the filters admit a part of {name}; which address of it {leg.front.native_id} has is unknown"
            hops.append(Hop(gate="front", native_id=leg.front.native_id, text=text, truth="unknown"))
    yield from hops or [Hop(gate="target", native_id=leg.to.native_id, text="no filter stands before it")]
    yield from (hop for hop in acls if hop)


def _between(world: World, leg: Leg, node: _Node, there: Intervals, *, possible: bool) -> Iterator[Hop | None]:
    """The ACLs of both subnets, there and back; None for one that drops it."""
    if not there:
        return
    answer = _answer_ports(leg.protocol)
    port = (leg.port, leg.port)
    to = leg.to.subnets[0] if leg.to.subnets else ""
    walks: tuple[tuple[str, Direction, Intervals, tuple[int, int]], ...] = (
        (node.subnet, "egress", there, port),
        (to, "ingress", node.space, port),
        (to, "egress", node.space, answer),
        (node.subnet, "ingress", there, answer),
    )
    for subnet_id, direction, space, ports in walks:
        subnet = world.index.subnets.get(subnet_id)
        if subnet is None or subnet.filters is None:
            name = native_of(subnet_id)
            text = f"the network ACL of {name} is unknown: {world.index.why_missing(subnet_id, 'filter')}"
            yield Hop(gate="network-acl", native_id=name, text=text, truth="unknown") if possible else None
            continue
        filters: FilterSet = world.inner_filters(
            subnet.filters or None, leg.family, space=space, direction=direction, kind="network-acl"
        )
        pieces = filters.pieces(leg.protocol, possible=possible)
        passed = anyone(pieces, *ports)
        if not passed:
            yield None
        elif ports == port:
            yield from filter_hops(who_at(pieces, *ports), passed, doubt=possible)
