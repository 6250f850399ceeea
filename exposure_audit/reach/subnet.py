"""What a subnet lets in from the internet and out again, for one family: gateway, routes, blocks, network ACL."""

from typing import NamedTuple

from exposure_audit.model.addresses import Family, Intervals, intersect, subtract
from exposure_audit.model.exposure import Hop
from exposure_audit.model.inventory import Noun
from exposure_audit.model.traffic import ALL_PORTS, ICMP, ICMPV6, TCP, UDP
from exposure_audit.reach.filters import FilterSet
from exposure_audit.reach.index import SPACE, Index, native_of
from exposure_audit.reach.pieces import Pieces, anyone, cut
from exposure_audit.reach.routes import CERTAIN, CONDITIONAL, POSSIBLE, Routing, edge_level, routing

CLIENT_PORTS = (1024, 65535)
"""Where ordinary clients wait for answers (VPC guide, "Ephemeral ports": 1024-65535 covers all of them)."""

ECHO_REQUEST = {ICMP: 8 << 8, ICMPV6: 128 << 8}
ECHO_REPLY = {ICMP: 0, ICMPV6: 129 << 8}
"""RFC 792 and RFC 4443, as `type * 256 + code`."""


class Answers(NamedTuple):
    """Who can be answered, by level; `crafted` counts clients that choose a port below 1024 too."""

    ordinary: tuple[Intervals, Intervals, Intervals]
    crafted: tuple[Intervals, Intervals, Intervals]


class Lane(NamedTuple):
    """What the subnet lets through: for sure, if the named middlebox lets it, and if every unread fact is kind."""

    certain: Pieces
    conditional: Pieces
    possible: Pieces
    one_way: bool = False
    crafted: bool = False


class SubnetGate:
    """One subnet and family. `closed` says in a sentence why nothing can come in, when that is certain."""

    def __init__(self, index: Index, subnet_id: str, network_id: str, family: Family) -> None:
        self._index = index
        self.family = family
        self.subnet = index.subnets.get(subnet_id)
        self.subnet_id = subnet_id
        self.network_id = network_id or (self.subnet.network if self.subnet else "")
        self.doubts: list[Hop] = []
        self.hops: list[Hop] = []
        self.closed = ""
        self.acl_doubt: Hop | None = None
        self._space = SPACE[family]
        # Each gate lowers what is sure; a drop by any of them closes.
        self.forward = CERTAIN
        self._gateway()
        self._block()
        self._edge()
        self.routing = self._routing()
        self._acl()
        self._lanes: dict[int, tuple[Lane, ...]] = {}
        self._plain: dict[int, bool] = {}
        self.hop_memo: dict[tuple[object, ...], tuple[Hop, ...]] = {}

    # --- the gates -------------------------------------------------------------------------------------------

    def _doubt(self, gate: str, native_id: str, text: str) -> None:
        self.doubts.append(Hop(gate=gate, native_id=native_id, text=text, truth="unknown"))
        self.forward = POSSIBLE

    def _gateway(self) -> None:
        attached = self._index.gateways_of(self.network_id)
        network = native_of(self.network_id)
        if attached:
            names = attached[0].native_id
            self.hops.append(
                Hop(gate="internet-gateway", native_id=names, text=f"{names} connects {network} with the internet")
            )
        elif why := self._index.unread(self.network_id, "gateway"):
            self._doubt("internet-gateway", network, f"whether {network} has an internet gateway is unknown: {why}")
        elif not self._dangling_gateway():
            self.closed = f"{network} has no internet gateway"

    def _dangling_gateway(self) -> bool:
        """Say whether a route names a gateway that was not read: then one may be attached."""
        table = self._index.table_of(self.subnet_id, self.network_id)
        for route in table.routes if table else ():
            if route.target == "internet" and route.target_id and route.target_id not in self._index.gateways:
                name = native_of(route.target_id)
                why = self._index.why_missing(route.target_id, "gateway")
                self._doubt("internet-gateway", name, f"{name} could not be read: {why}")
                return True
        return False

    def _block(self) -> None:
        """The subnet's own value is the effective one; the network's speaks when it is missing.

        https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
        """
        network = self._index.networks.get(self.network_id)
        blocked = self.subnet.ingress_block if self.subnet else None
        if blocked is None and network and network.ingress_block is False:
            blocked = False
        name = native_of(self.subnet_id)
        if blocked:
            self.closed = self.closed or f"public access to {name} is blocked for the whole network"
        elif blocked is None:
            noun: Noun = "network" if self.subnet else "subnet"
            why = self._index.why_missing(self.network_id if self.subnet else self.subnet_id, noun)
            self._doubt(
                "public-access-block", name, f"whether public access to {name} is blocked is unknown: {why}"
            )

    def _edge(self) -> None:
        cidrs = self._index.intervals(self.subnet.cidrs, self.family) if self.subnet else ()
        level, table, text = edge_level(self._index, self.network_id, cidrs, self.family)
        if level is None:
            self.closed = self.closed or text
        elif level == CONDITIONAL:
            self.hops.append(Hop(gate="middlebox", native_id=table, text=text, truth="conditional"))
            self.forward = max(self.forward, CONDITIONAL)
        elif level == POSSIBLE:
            self._doubt("middlebox", table, text)

    def _routing(self) -> Routing:
        table = self._index.table_of(self.subnet_id, self.network_id)
        if table is not None:
            return routing(self._index, table, self.network_id, self.family)
        why = self._index.why_missing(self.subnet_id, "route-table")
        name = native_of(self.subnet_id)
        # Not `_doubt`: a datagram is delivered whatever the way back.
        self.doubts.append(
            Hop(gate="route", native_id=name, text=f"the route table of {name} is unknown: {why}", truth="unknown")
        )
        return Routing(((), (), self._space), ())

    def _acl(self) -> None:
        ids: tuple[str, ...] | None = None
        if self.subnet is None or self.subnet.filters is None:
            place = self.subnet_id
            why = self._index.why_missing(place, "filter" if self.subnet else "subnet")
            name = native_of(place)
            self._doubt("network-acl", name, f"the network ACL of {name} is unknown: {why}")
            self.acl_doubt = self.doubts[-1]
        else:
            ids = self.subnet.filters or None
        filters = [self._index.filters[name] for name in ids or () if name in self._index.filters]
        stateless = tuple(item.id for item in filters if not item.stateful)
        missing = tuple(name for name in ids or () if name not in self._index.filters)
        self.inward = FilterSet(self._index, ids, self.family, kind="network-acl")
        outward = (*stateless, *missing) or None
        self.outward = FilterSet(self._index, outward, self.family, direction="egress", kind="network-acl")

    # --- what passes -----------------------------------------------------------------------------------------

    def answers(self, protocol: int) -> Answers:
        """Who gets an answer of this protocol, by level."""
        levels: list[tuple[Intervals, Intervals]] = []
        for level in (CERTAIN, CONDITIONAL, POSSIBLE):
            routed = self.routing.levels[level]
            out = self.outward.pieces(protocol, possible=level == POSSIBLE)
            ports = CLIENT_PORTS if protocol in {TCP, UDP} else ALL_PORTS
            if protocol in ECHO_REPLY:
                ports = (ECHO_REPLY[protocol], ECHO_REPLY[protocol])
            wide = ALL_PORTS if protocol in {TCP, UDP} else ports
            levels.append((intersect(anyone(out, *ports), routed), intersect(anyone(out, *wide), routed)))
        ordinary, crafted = zip(*levels, strict=True)
        return Answers(ordinary, crafted)

    def lanes(self, protocol: int) -> tuple[Lane, ...]:
        """What the subnet lets in of a protocol: answered, answered at unusual ports only, never answered."""
        if protocol not in self._lanes:
            self._lanes[protocol] = tuple(lane for lane in self._build(protocol) if lane.possible)
        return self._lanes[protocol]

    def _build(self, protocol: int) -> list[Lane]:
        if self.closed:
            return []
        sure, maybe = self.inward.pieces(protocol, possible=False), self.inward.pieces(protocol, possible=True)
        ordinary, crafted = self.answers(protocol)
        arrive = {level: sure if self.forward <= level else () for level in (CERTAIN, CONDITIONAL)}
        certain = cut(arrive[CERTAIN], ordinary[CERTAIN])
        conditional = cut(arrive[CONDITIONAL], ordinary[CONDITIONAL])
        possible = cut(maybe, ordinary[POSSIBLE])
        # One form for one thing: equal levels are the same object, which the walk looks at first.
        conditional = certain if conditional == certain else conditional
        possible = conditional if possible == conditional else possible
        lanes = [Lane(certain, conditional, possible)]
        if protocol in {TCP, UDP}:
            odd = [subtract(crafted[level], ordinary[POSSIBLE]) for level in (CERTAIN, CONDITIONAL, POSSIBLE)]
            parts = (cut(arrive[CERTAIN], odd[0]), cut(arrive[CONDITIONAL], odd[1]), cut(maybe, odd[2]))
            lanes.append(Lane(*parts, crafted=True))
        if protocol not in {TCP, ICMP, ICMPV6}:
            mute = subtract(self._space, crafted[POSSIBLE])
            network = self._index.networks.get(self.network_id)
            mute = subtract(mute, self._index.intervals(network.cidrs, self.family) if network else ())
            parts = (cut(arrive[CERTAIN], mute), cut(arrive[CONDITIONAL], mute), cut(maybe, mute))
            lanes.append(Lane(*parts, one_way=True))
        return lanes

    def plain(self, protocol: int) -> bool:
        """Whether every port and source takes the same hops: one route, and one rule each way in the ACL."""
        if protocol not in self._plain:
            both = (self.inward.pieces(protocol, possible=True), self.outward.pieces(protocol, possible=True))
            self._plain[protocol] = len(self.routing.legs) == 1 and all(
                len(pieces) == 1 and len(pieces[0].who) <= 1 for pieces in both
            )
        return self._plain[protocol]

    def why_closed(self) -> str:
        """Say why nobody gets in and back; empty when somebody may."""
        if self.closed:
            return self.closed
        if not self.routing.levels[POSSIBLE]:
            return f"{native_of(self.subnet_id)} has no active route to an internet gateway"
        return ""
