"""Sets of ports, and of traffic: protocol x ports x sources, exact and closed under the set operations.

Protocols are IANA numbers. Ports are 0..65535; for ICMP and ICMPv6 the port axis holds `type * 256 + code`;
protocols without ports use the whole axis.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import msgspec

from exposure_audit.model.addresses import (
    AddressSet,
    Interval,
    Intervals,
    count,
    intersect,
    normalise,
    subtract,
)

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ALL_PORTS: Interval = (0, 65535)
NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6"}
NUMBERS = {name: number for number, name in NAMES.items()}


class PortSet(msgspec.Struct, frozen=True, gc=False):
    """A set of port numbers, as normalised intervals."""

    intervals: Intervals = ()

    @classmethod
    def of(cls, *ranges: int | Interval) -> "PortSet":
        """Build a set from ports and inclusive ranges. Raises ValueError outside 0..65535."""
        pairs = [(item, item) if isinstance(item, int) else item for item in ranges]
        for low, high in pairs:
            if not 0 <= low <= high <= ALL_PORTS[1]:
                raise ValueError(f"not a port range: {low}-{high}")
        return cls(normalise(pairs))

    @classmethod
    def all(cls) -> "PortSet":
        """Every port."""
        return cls((ALL_PORTS,))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __len__(self) -> int:
        return count(self.intervals)

    def __iter__(self) -> Iterator[int]:
        return (port for low, high in self.intervals for port in range(low, high + 1))

    def __contains__(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.intervals)

    def __or__(self, other: "PortSet") -> "PortSet":
        return PortSet(normalise((*self.intervals, *other.intervals)))

    def __and__(self, other: "PortSet") -> "PortSet":
        return PortSet(intersect(self.intervals, other.intervals))

    def __sub__(self, other: "PortSet") -> "PortSet":
        return PortSet(subtract(self.intervals, other.intervals))

    def __le__(self, other: "PortSet") -> bool:
        return not self - other


class Band(msgspec.Struct, frozen=True, gc=False):
    """These sources may use every port from low to high."""

    low: int
    high: int
    sources: AddressSet


Bands = tuple[Band, ...]
_Combine = Callable[[AddressSet, AddressSet], AddressSet]
_NOBODY = AddressSet()


def _merge(left: Bands, right: Bands, combine: _Combine) -> Bands:
    """Cut both lists at every boundary, combine the sources piece by piece, join equal neighbours."""
    edges = sorted({edge for band in (*left, *right) for edge in (band.low, band.high + 1)})
    pieces: list[Band] = []
    i = j = 0
    for low, after in pairwise(edges):
        while i < len(left) and left[i].high < low:
            i += 1
        while j < len(right) and right[j].high < low:
            j += 1
        mine = left[i].sources if i < len(left) and left[i].low <= low else _NOBODY
        theirs = right[j].sources if j < len(right) and right[j].low <= low else _NOBODY
        sources = combine(mine, theirs)
        if not sources:
            continue
        if pieces and pieces[-1].high + 1 == low and pieces[-1].sources == sources:
            pieces[-1] = Band(pieces[-1].low, after - 1, sources)
        else:
            pieces.append(Band(low, after - 1, sources))
    return tuple(pieces)


def _union(many: list[Bands]) -> Bands:
    """Unite many band lists in one sweep: a security group has fifty rules, a merge each would be slow."""
    bands = sorted((band for one in many for band in one), key=lambda band: band.low)
    edges = sorted({edge for band in bands for edge in (band.low, band.high + 1)})
    pieces: list[Band] = []
    active: list[Band] = []
    following = 0
    for low, after in pairwise(edges):
        active = [band for band in active if band.high >= low]
        while following < len(bands) and bands[following].low <= low:
            active.append(bands[following])
            following += 1
        if not active:
            continue
        sources = active[0].sources
        if len(active) > 1:
            sources = AddressSet(
                normalise(pair for band in active for pair in band.sources.ipv4),
                normalise(pair for band in active for pair in band.sources.ipv6),
            )
        if pieces and pieces[-1].high + 1 == low and pieces[-1].sources == sources:
            pieces[-1] = Band(pieces[-1].low, after - 1, sources)
        else:
            pieces.append(Band(low, after - 1, sources))
    return tuple(pieces)


class TrafficSet(msgspec.Struct, frozen=True, gc=False):
    """Which sources may use which ports of which protocols.

    `rest` speaks for every protocol number that `named` does not list, so "all protocols" is one band
    list and stays exact. Build with `of`, combine with `|`, `&` and `-`; equal sets compare equal.
    """

    named: tuple[tuple[int, Bands], ...] = ()
    rest: Bands = ()

    @classmethod
    def of(cls, protocol: int | None, sources: AddressSet, ports: Interval = ALL_PORTS) -> "TrafficSet":
        """One rectangle; protocol None means all of them (then on all ports)."""
        if not sources:
            return cls()
        if protocol is None:
            return cls(rest=(Band(*ALL_PORTS, sources),))
        return cls(named=((protocol, (Band(*ports, sources),)),))

    @classmethod
    def union(cls, parts: Iterable["TrafficSet"]) -> "TrafficSet":
        """The union of many sets."""
        parts = [part for part in parts if part]
        rest = _union([part.rest for part in parts])
        named = []
        for number in sorted({number for part in parts for number, _ in part.named}):
            bands = _union([part.bands(number) for part in parts])
            if bands != rest:
                named.append((number, bands))
        return cls(tuple(named), rest)

    def bands(self, protocol: int) -> Bands:
        """The bands of one protocol, ascending and disjoint."""
        for number, bands in self.named:
            if number == protocol:
                return bands
        return self.rest

    def __bool__(self) -> bool:
        return bool(self.rest) or any(bands for _, bands in self.named)

    def __or__(self, other: "TrafficSet") -> "TrafficSet":
        return self._with(other, AddressSet.__or__)

    def __and__(self, other: "TrafficSet") -> "TrafficSet":
        return self._with(other, AddressSet.__and__)

    def __sub__(self, other: "TrafficSet") -> "TrafficSet":
        return self._with(other, AddressSet.__sub__)

    def __le__(self, other: "TrafficSet") -> bool:
        return not self - other

    def _with(self, other: "TrafficSet", combine: _Combine) -> "TrafficSet":
        rest = _merge(self.rest, other.rest, combine)
        named = []
        for number in sorted({number for number, _ in (*self.named, *other.named)}):
            bands = _merge(self.bands(number), other.bands(number), combine)
            if bands != rest:  # Otherwise `rest` speaks for it: one form for one set.
                named.append((number, bands))
        return TrafficSet(tuple(named), rest)

    def from_sources(self, sources: AddressSet) -> "TrafficSet":
        """The part of this traffic that comes from the given sources."""
        return self & TrafficSet.of(None, sources)

    def sources(self, protocol: int, port: int) -> AddressSet:
        """Who may use this one port."""
        for band in self.bands(protocol):
            if band.low <= port <= band.high:
                return band.sources
        return _NOBODY

    def ports(self, protocol: int) -> PortSet:
        """The ports of a protocol that anyone at all may use."""
        return PortSet(normalise((band.low, band.high) for band in self.bands(protocol)))
