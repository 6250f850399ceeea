"""What reaches one posture: the same filters, subnet and family; computed once for all that share it."""

from collections.abc import Iterator
from functools import cached_property

import msgspec

from exposure_audit.model.addresses import Intervals
from exposure_audit.model.exposure import Hop, Truth
from exposure_audit.model.traffic import ICMP, ICMPV6, TCP, UDP
from exposure_audit.reach.filters import FilterSet
from exposure_audit.reach.paths import acl_hops, answer_hops, doubt_hops, filter_hops, route_hops
from exposure_audit.reach.pieces import Piece, Pieces, both, clip, grown
from exposure_audit.reach.routes import CERTAIN, POSSIBLE
from exposure_audit.reach.subnet import ECHO_REQUEST, Lane, SubnetGate

_TRUTHS: tuple[Truth, Truth, Truth] = ("true", "conditional", "unknown")


class Row(msgspec.Struct, frozen=True, gc=False):
    """A maximal port range with one set of sources, before it has an address."""

    protocol: int
    low: int
    high: int
    sources: Intervals
    truth: Truth
    hops: tuple[Hop, ...]
    one_way: bool = False
    crafted: bool = False


def _tower(lane: Lane, sure: Pieces, maybe: Pieces) -> tuple[Pieces, Pieces, Pieces]:
    """What is sure, where a middlebox may add to it, and where what was not read may."""
    certain = both(sure, lane.certain, name_right=False)
    conditional, possible = certain, certain
    if lane.conditional is not lane.certain:
        conditional = possible = both(sure, lane.conditional, name_right=False)
    if lane.possible is not lane.conditional or maybe is not sure:
        possible = both(maybe, lane.possible, name_right=False)
    return certain, grown(conditional, certain), grown(possible, conditional)


class Posture:
    """Filters in a subnet; `rows` is what the internet reaches through both."""

    def __init__(self, filters: FilterSet, gate: SubnetGate) -> None:
        self._filters = filters
        self.gate = gate

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every protocol: TCP, UDP, echo requests, and protocols that some rule names by number."""
        echo = ICMP if self.gate.family == "ipv4" else ICMPV6
        others = sorted(self._filters.numbers() - {ICMP, ICMPV6, TCP, UDP})
        return tuple(row for protocol in (TCP, UDP, echo, *others) for row in self.of(protocol))

    def on(self, protocol: int, low: int, high: int) -> list[Row]:
        """The rows of these ports only."""
        return list(self.of(protocol, (low, high)))

    def of(self, protocol: int, ports: tuple[int, int] | None = None) -> Iterator[Row]:
        """The rows of one protocol, on all ports or some."""
        sure = self._filters.pieces(protocol, possible=False)
        maybe = self._filters.pieces(protocol, possible=True)
        if protocol in ECHO_REQUEST:
            ports = (ECHO_REQUEST[protocol], ECHO_REQUEST[protocol])
        elif protocol not in {TCP, UDP}:
            ports = (0, 0)
        if ports:
            sure_clipped = clip(sure, *ports)
            sure, maybe = sure_clipped, sure_clipped if maybe is sure else clip(maybe, *ports)
        for lane in self.gate.lanes(protocol):
            for level, pieces in enumerate(_tower(lane, sure, maybe)):
                for piece in pieces:
                    hops = self._hops(protocol, piece, level, lane)
                    low, high, sources, _ = piece
                    yield Row(protocol, low, high, sources, _TRUTHS[level], hops, lane.one_way, lane.crafted)

    def _hops(self, protocol: int, piece: Piece, level: int, lane: Lane) -> tuple[Hop, ...]:
        own = tuple(filter_hops(piece.who, piece.sources, doubt=level == POSSIBLE))
        if level == POSSIBLE:
            own = (*own, *doubt_hops(self._filters, protocol, piece.low, piece.high))
        memo = self.gate.hop_memo
        key: tuple[object, ...] = (protocol, level, lane.one_way, lane.crafted)
        if not self.gate.plain(protocol):
            key = (*key, piece.low, piece.high, piece.sources)
        if key not in memo:
            memo[key] = tuple(self._outer_hops(protocol, piece, level, lane))
        return (*memo[key], *own)

    def _outer_hops(self, protocol: int, piece: Piece, level: int, lane: Lane) -> Iterator[Hop]:
        gate = self.gate
        yield from (hop for hop in gate.hops if level > CERTAIN or hop.truth == "true")
        if level == POSSIBLE:
            yield from gate.doubts
        if lane.one_way:
            yield Hop(
                gate="route", native_id=gate.routing.name, text="packets arrive, no answer finds its way back"
            )
        else:
            yield from route_hops(gate.routing, piece.sources, level)
        yield from acl_hops(gate, protocol, piece.low, piece.high, piece.sources, level=level)
        if not lane.one_way:
            yield from answer_hops(gate, protocol, piece.sources, level=level, crafted=lane.crafted)
