"""Writes exposures: identity, sources as the shorter of two lists, breadth."""

import hashlib
from typing import NamedTuple

from exposure_audit.model.addresses import AddressSet, Family, Intervals, subtract
from exposure_audit.model.exposure import Exposure, Hop, Via
from exposure_audit.model.internet import Breadth, breadth
from exposure_audit.model.traffic import ICMP, ICMPV6, TCP, UDP
from exposure_audit.reach.index import SPACE
from exposure_audit.reach.posture import Row

_TRANSPORTS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmp"}


def transport_of(protocol: int) -> str:
    """Name a protocol as reports do; `icmp` for both families, which the family tells apart."""
    return _TRANSPORTS.get(protocol, str(protocol))


class Written(NamedTuple):
    """A set of sources as a report says it."""

    sources: tuple[str, ...]
    sources_except: tuple[str, ...] | None
    breadth: Breadth


class Place(NamedTuple):
    """What is exposed, and where it is seen."""

    asset: str
    native_id: str
    address: str
    family: Family
    via: Via
    front: str = ""
    target_port: int | None = None
    hops: tuple[Hop, ...] = ()
    """The hops before those of the row."""


def _set(family: Family, intervals: Intervals) -> AddressSet:
    return AddressSet(ipv4=intervals) if family == "ipv4" else AddressSet(ipv6=intervals)


class Writer:
    """Turns rows into exposures; the same sources are written once."""

    def __init__(self) -> None:
        self._written: dict[tuple[Family, Intervals], Written] = {}

    def written(self, family: Family, sources: Intervals) -> Written:
        """Say sources as CIDRs, or as the public space except some when that list is shorter."""
        key = (family, sources)
        if key not in self._written:
            held = _set(family, sources)
            named = others = held.cidrs()
            # Each interval takes away at most one of the space's, and an interval left is at least one CIDR:
            # mostly that alone says which list is shorter.
            if len(SPACE[family]) - len(sources) < len(named):
                others = _set(family, subtract(SPACE[family], sources)).cidrs()
            shorter = len(others) < len(named)
            broad = breadth(held, family)
            self._written[key] = Written(() if shorter else named, others if shorter else None, broad)
        return self._written[key]

    def exposure(self, place: Place, row: Row, *, dormant: bool = False) -> Exposure:
        """Write one exposure."""
        asset, native_id, address, family, via, front, target_port, hops = place
        transport = transport_of(row.protocol)
        with_ports = row.protocol in {TCP, UDP}
        low, high = (row.low, row.high) if with_ports else (None, None)
        sources, sources_except, broad = self.written(family, row.sources)
        meaning = f"{asset}|{address}|{transport}|{low}|{high}|{family}|{via}|{front}"
        if row.truth != "true" or row.one_way or row.crafted or dormant or via == "behind-front":
            # What may stand beside an exposure of the same ports has an identity of its own.
            meaning += f"|{row.truth}|{row.one_way}|{row.crafted}|{dormant}|{native_id}|{target_port}"
        return Exposure(
            id="exp-" + hashlib.sha256(meaning.encode()).hexdigest()[:12],
            asset=asset,
            native_id=native_id,
            address=address,
            family=family,
            transport=transport,
            port_from=low,
            port_to=high,
            sources=sources,
            sources_except=sources_except,
            breadth=broad,
            via=via,
            front=front,
            target_port=target_port,
            truth=row.truth,
            one_way=row.one_way,
            crafted_source_port=row.crafted,
            dormant=dormant,
            path=(*hops, *row.hops),
        )


def order(exposure: Exposure) -> tuple[str, str, str, int, int, str, str, str, str]:
    """The key by which exposures are sorted."""
    low = -1 if exposure.port_from is None else exposure.port_from
    high = -1 if exposure.port_to is None else exposure.port_to
    return (
        exposure.asset,
        exposure.address,
        exposure.transport,
        low,
        high,
        exposure.family,
        exposure.via,
        exposure.front,
        exposure.id,
    )
