"""A slow, simple walker that knows nothing of sets: may this one packet come in, and an answer leave?

It asks `ipaddress` about single addresses, and tries every client port at which some rule begins or ends. Levels:
0 certainly, 1 if the middlebox lets it, 2 perhaps (something was not read), 3 certainly not.
"""

from ipaddress import ip_address, ip_network

from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Interface, Inventory, Network, Route, RouteTable, Rule, Subnet

YES, MIDDLEBOX, PERHAPS, NO = 0, 1, 2, 3
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}


def _inside(address: str, cidr: str) -> bool:
    host, block = ip_address(address), ip_network(cidr, strict=False)
    return host.version == block.version and host in block


def _lists(world: Inventory, name: str) -> tuple[str, ...] | None:
    return next((item.entries for item in world.address_lists if item.id == name), None)


def _rule(world: Inventory, rule: Rule, address: str, protocol: int, port: int) -> int:
    """Whether a rule matches: YES, PERHAPS or NO."""
    if rule.protocol is not None and (rule.protocol != protocol or not rule.port_from <= port <= rule.port_to):
        return NO
    if any(_inside(address, cidr) for cidr in rule.cidrs):
        return YES
    unread = False
    for name in rule.address_lists:
        entries = _lists(world, name)
        if entries is None:
            unread = True
        elif any(_inside(address, cidr) for cidr in entries):
            return YES
    return PERHAPS if unread else NO


def _groups(world: Inventory, names: tuple[str, ...], address: str, protocol: int, port: int) -> int:
    if not names:
        return PERHAPS
    best = NO
    for name in names:
        held = [item for item in world.filters if item.id == name]
        if not held:
            best = min(best, PERHAPS)
        for rule in held[0].ingress if held else ():
            if rule.allow:
                best = min(best, _rule(world, rule, address, protocol, port))
    return best


def _acl(world: Inventory, rules: tuple[Rule, ...], address: str, protocol: int, port: int) -> int:
    for rule in sorted(rules, key=lambda rule: (rule.order, rule.allow)):
        if _rule(world, rule, address, protocol, port) == YES:
            return YES if rule.allow else NO
    return NO


def _acls(world: Inventory, subnet: Subnet | None, side: str, packet: tuple[str, int, int]) -> int:
    if subnet is None or subnet.filters is None:
        return PERHAPS
    worst = YES
    for name in subnet.filters:
        held = [item for item in world.filters if item.id == name]
        worst = max(worst, _acl(world, getattr(held[0], side), *packet) if held else PERHAPS)
    return worst


def _attached(world: Inventory, network: str) -> bool:
    return any(item.kind == "internet" and network in item.networks for item in world.gateways)


def _route_level(world: Inventory, route: Route, network: str) -> int:
    if not route.active:
        return NO
    if route.target == "internet":
        held = [item for item in world.gateways if item.id == route.target_id]
        if not held:
            return PERHAPS
        return YES if network in held[0].networks else NO
    return {"middlebox": MIDDLEBOX, "interface": MIDDLEBOX, "unknown": PERHAPS}.get(route.target, NO)


def _table(world: Inventory, interface: Interface) -> RouteTable | None:
    explicit = [table for table in world.route_tables if interface.subnet in table.subnets]
    main = [table for table in world.route_tables if table.main and table.network == interface.network]
    denied = any(row.status != "ok" and "route-table" in row.yields for row in world.coverage)
    found = explicit or ([] if denied else main)
    return found[0] if found else None


def _way_back(world: Inventory, interface: Interface, network: Network | None, address: str) -> int:
    table = _table(world, interface)
    if table is None:
        return PERHAPS
    if network and any(_inside(address, cidr) for cidr in network.cidrs):
        return NO
    hits = [route for route in table.routes if _inside(address, route.destination)]
    if not hits:
        return NO
    longest = max(ip_network(route.destination).prefixlen for route in hits)
    last = [route for route in hits if ip_network(route.destination).prefixlen == longest]
    rank = min(route.propagated for route in last)
    levels = {_route_level(world, route, interface.network) for route in last if route.propagated == rank}
    return levels.pop() if len(levels) == 1 else PERHAPS


def _gateway(world: Inventory, interface: Interface) -> int:
    if _attached(world, interface.network):
        return YES
    if any(row.status != "ok" and "gateway" in row.yields for row in world.coverage):
        return PERHAPS
    table = _table(world, interface)
    names = {item.id for item in world.gateways}
    dangling = table and any(
        r.target == "internet" and r.target_id and r.target_id not in names for r in table.routes
    )
    return PERHAPS if dangling else NO


def _block(subnet: Subnet | None, network: Network | None) -> int:
    blocked = subnet.ingress_block if subnet else None
    if blocked is None and network and network.ingress_block is False:
        blocked = False
    return PERHAPS if blocked is None else NO if blocked else YES


def _client_ports(world: Inventory, subnet: Subnet | None) -> set[int]:
    ports = {0, 1023, 1024, 65535}
    for item in world.filters:
        if subnet and item.id in (subnet.filters or ()):
            for rule in item.egress:
                ports |= {rule.port_from, rule.port_to, max(rule.port_from - 1, 0), min(rule.port_to + 1, 65535)}
    return ports


class Walk:
    """What happens to one packet to an interface."""

    def __init__(self, world: Inventory, interface: Interface, source: str, transport: str, port: int) -> None:
        protocol = PROTOCOLS[transport]
        if protocol == 1 and ":" in source:
            protocol = 58
        request, replies = port, None
        if protocol in {1, 58}:
            request, replies = (2048, {0}) if protocol == 1 else (128 * 256, {129 * 256})
        subnet = next((item for item in world.subnets if item.id == interface.subnet), None)
        network = next((item for item in world.networks if item.id == interface.network), None)
        self.arrives = max(
            _gateway(world, interface),
            _block(subnet, network),
            _acls(world, subnet, "ingress", (source, protocol, request)),
            _groups(world, interface.filters, source, protocol, request),
        )
        back = _way_back(world, interface, network, source)
        every = replies or _client_ports(world, subnet)
        ordinary = replies or {number for number in every if number >= 1024}
        self.ordinary = max(back, min(_acls(world, subnet, "egress", (source, protocol, n)) for n in ordinary))
        self.crafted = max(back, min(_acls(world, subnet, "egress", (source, protocol, n)) for n in every))

    def level(self) -> int:
        """How sure it is that a conversation happens."""
        return max(self.arrives, self.ordinary)


def covers(exposure: Exposure, source: str) -> bool:
    """Whether a source is among those of an exposure; the sources tried are all public."""
    if exposure.sources_except is not None:
        return not any(_inside(source, cidr) for cidr in exposure.sources_except)
    return any(_inside(source, cidr) for cidr in exposure.sources)


def told(found: tuple[Exposure, ...], address: str, source: str, transport: str, port: int) -> dict[str, int]:
    """The surest level that the exposures give one packet, by kind."""
    levels = {"true": YES, "conditional": MIDDLEBOX, "unknown": PERHAPS}
    best = {"talk": NO, "crafted": NO, "one-way": NO}
    for item in found:
        if item.dormant or item.address != address or item.transport != transport:
            continue
        if item.port_from is not None and not item.port_from <= port <= (item.port_to or 0):
            continue
        if covers(item, source):
            kind = "one-way" if item.one_way else "crafted" if item.crafted_source_port else "talk"
            best[kind] = min(best[kind], levels[item.truth])
    return best
