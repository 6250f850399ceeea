"""Rules that are open to the world with nothing reachable behind them: one new route or address makes them real."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from exposure_audit.model.addresses import AddressSet, Family, Intervals
from exposure_audit.model.exposure import Exposure, Hop, Truth
from exposure_audit.model.internet import breadth
from exposure_audit.model.inventory import Filter, Interface
from exposure_audit.model.traffic import ICMP, ICMPV6, TCP, UDP
from exposure_audit.reach.emit import Place, transport_of
from exposure_audit.reach.index import FAMILIES, native_of
from exposure_audit.reach.paths import filter_hops, ports_text
from exposure_audit.reach.pieces import Piece
from exposure_audit.reach.posture import Row
from exposure_audit.reach.subnet import ECHO_REQUEST
from exposure_audit.reach.world import World

_KINDS = {"security-group", "whitelist"}
_Span = tuple[int, int]


class _Uses:
    """Who uses which filter, and which ports are reached through it."""

    def __init__(self, world: World, reachable: Iterable[Exposure]) -> None:
        self._reached: dict[tuple[str, str], list[_Span]] = defaultdict(list)
        for exposure in reachable:
            low = 0 if exposure.port_from is None else exposure.port_from
            high = 65535 if exposure.port_to is None else exposure.port_to
            if exposure.target_port is not None:
                # What the front's own filters let in, the front's exposure says.
                low = high = exposure.target_port
            for hop in exposure.path:
                if hop.gate in _KINDS:
                    self._reached[hop.native_id, exposure.transport].append((low, high))
        self.interfaces: dict[str, list[Interface]] = defaultdict(list)
        self.others: dict[str, list[str]] = defaultdict(list)
        index = world.index
        for interface in sorted(index.inventory.interfaces, key=lambda item: item.id):
            for name in interface.filters:
                self.interfaces[name].append(interface)
        for front in sorted(index.inventory.fronts, key=lambda item: item.id):
            state = "is internal" if not front.public else front.why_not_live or "has no listener on these ports"
            for name in front.filters or ():
                self.others[name].append(f"load balancer {native_of(front.id)} {state}")
        for door in sorted(index.inventory.doors, key=lambda item: item.id):
            state = "is not public" if not door.public else door.why_not_live or "listens on another port"
            for name in door.filters:
                self.others[name].append(f"{door.service} {door.native_id} {state}")

    def reached(self, filter_id: str, transport: str, low: int, high: int) -> bool:
        return any(start <= high and end >= low for start, end in self._reached.get((filter_id, transport), ()))


def dormant(world: World, reachable: Iterable[Exposure]) -> Iterator[Exposure]:
    """Yield one exposure for each filter and port range that is open to the world and leads nowhere."""
    uses = _Uses(world, reachable)
    for item in world.index.inventory.filters:
        if item.kind in _KINDS:
            yield from _of(world, uses, item)


def _broad(sources: Intervals, family: Family) -> bool:
    held = AddressSet(ipv4=sources) if family == "ipv4" else AddressSet(ipv6=sources)
    return breadth(held, family) == "internet"


def _of(world: World, uses: _Uses, item: Filter) -> Iterator[Exposure]:
    said: set[tuple[str, int, int]] = set()
    for family in FAMILIES:
        if not _speaks_of(item, family):
            continue
        filters = world.filters((item.id,), family)
        echo = ICMP if family == "ipv4" else ICMPV6
        for protocol in (TCP, UDP, echo, *sorted(filters.numbers() - {TCP, UDP, ICMP, ICMPV6})):
            for piece in filters.pieces(protocol, possible=False):
                span = _asked(protocol, piece)
                key = (transport_of(protocol), *span)
                # The same range open for both families is one thing to mend.
                if span[0] > span[1] or key in said or not _broad(piece.sources, family):
                    continue
                said.add(key)
                if not uses.reached(item.native_id, *key):
                    yield _exposure(world, uses, item, (family, protocol, piece))


def _speaks_of(item: Filter, family: Family) -> bool:
    """Whether any rule may be about a family; most groups have nothing to say of IPv6."""
    mark = "." if family == "ipv4" else ":"
    return item.default_allow or any(
        rule.address_lists or any(mark in cidr for cidr in rule.cidrs) for rule in item.ingress
    )


def _asked(protocol: int, piece: Piece) -> _Span:
    """The ports that count: of ICMP the echo request, of protocols without ports anything."""
    if protocol in {TCP, UDP}:
        return piece.low, piece.high
    point = ECHO_REQUEST.get(protocol, 0)
    return (0, 65535) if piece.low <= point <= piece.high else (1, 0)


def _exposure(world: World, uses: _Uses, item: Filter, open_to: tuple[Family, int, Piece]) -> Exposure:
    family, protocol, piece = open_to
    unread = world.index.unread(item.id, "interface")
    if unread:
        gate, why = "interface", f"what uses {item.native_id} could not be read: {unread}"
    else:
        gate, why = _why(world, uses, item.id, family)
    truth: Truth = "unknown" if unread else "true"
    said = ports_text(protocol, piece.low, piece.high)
    hops = filter_hops(piece.who, piece.sources) or [
        Hop(gate=item.kind, native_id=item.native_id, text=f"{item.native_id} lets {said} in from everywhere")
    ]
    behind = Hop(gate=gate, native_id=item.native_id, text=why, truth=truth)
    row = Row(protocol, piece.low, piece.high, piece.sources, truth, (*hops, behind))
    return world.writer.exposure(Place(item.id, item.native_id, "", family, "direct"), row, dormant=True)


def _why(world: World, uses: _Uses, filter_id: str, family: Family) -> tuple[str, str]:
    """Say in one sentence why nothing is reachable behind a filter: (gate, why)."""
    interfaces, others = uses.interfaces.get(filter_id, []), uses.others.get(filter_id, [])
    if not interfaces and not others:
        return "interface", "nothing uses it"
    live = [interface for interface in interfaces if interface.live]
    if interfaces and not live and not others:
        return "interface", _many(interfaces, interfaces[0].why_not_live or "not in use")
    public = [interface for interface in live if interface.addresses and interface.inbound]
    if not public:
        return ("front", others[0]) if others else ("address", _many(interfaces, "no public address"))
    families = {address.family for interface in public for address in interface.addresses}
    seen: Family = family if family in families else min(families)
    first = next(item for item in public if any(address.family == seen for address in item.addresses))
    gate = world.gate(first.subnet, first.network, seen)
    if why := gate.why_closed():
        return "route", _many(public, why)
    if others:
        return "front", others[0]
    return "network-acl", _many(public, f"the network ACL of {native_of(first.subnet)} lets nothing of it through")


def _many(interfaces: list[Interface], why: str) -> str:
    more = f" and {len(interfaces) - 1} more" if len(interfaces) > 1 else ""
    return f"used by {interfaces[0].native_id}{more}: {why}"
