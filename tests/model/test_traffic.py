"""Port and traffic sets, held against plain sets of (protocol, port, address)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exposure_audit.model.addresses import AddressSet, Interval, normalise
from exposure_audit.model.traffic import ALL_PORTS, ICMP, TCP, UDP, Band, PortSet, TrafficSet

ADDRESSES = 8
PROTOCOLS = (TCP, UDP, 47)
"""Two that are named in rules, and one that stands for all others."""
PORTS = (0, 1, 2, 3, 79, 80, 81, 65534, 65535)
Model = set[tuple[int, int, int]]
WHOLE: Model = {
    (protocol, port, address) for protocol in PROTOCOLS for port in PORTS for address in range(ADDRESSES)
}

intervals = st.tuples(st.integers(0, ADDRESSES - 1), st.integers(0, ADDRESSES - 1)).map(
    lambda pair: (min(pair), max(pair))
)
sources = st.lists(intervals, max_size=2).map(lambda items: AddressSet(ipv4=normalise(items)))
spans = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).map(lambda pair: (min(pair), max(pair)))
rectangles = st.lists(st.tuples(st.sampled_from((None, TCP, UDP)), sources, spans), max_size=4)


def traffic(items: list[tuple[int | None, AddressSet, Interval]]) -> tuple[TrafficSet, Model]:
    """The set, and what it should hold."""
    expected: Model = set()
    for protocol, who, span in items:
        low, high = span if protocol is not None else ALL_PORTS
        expected |= {
            (number, port, address)
            for number, port, address in WHOLE
            if protocol in {None, number} and low <= port <= high and any(a <= address <= b for a, b in who.ipv4)
        }
    return TrafficSet.union(TrafficSet.of(protocol, who, span) for protocol, who, span in items), expected


def contents(held: TrafficSet) -> Model:
    return {
        (protocol, port, address)
        for protocol, port, address in WHOLE
        if any(low <= address <= high for low, high in held.sources(protocol, port).ipv4)
    }


@given(rectangles)
def test_a_union_of_rectangles_holds_what_they_hold(items: list[tuple[int | None, AddressSet, Interval]]) -> None:
    held, expected = traffic(items)
    assert contents(held) == expected
    assert bool(held) == bool(expected)
    one_by_one = TrafficSet()
    for protocol, who, span in items:
        one_by_one = one_by_one | TrafficSet.of(protocol, who, span)
    # One form for one set, whichever way it was built.
    assert one_by_one == held
    assert hash(one_by_one) == hash(held)


@given(rectangles, rectangles)
@settings(max_examples=150)
def test_operations_are_those_of_sets(
    one: list[tuple[int | None, AddressSet, Interval]], other: list[tuple[int | None, AddressSet, Interval]]
) -> None:
    (a, plain_a), (b, plain_b) = traffic(one), traffic(other)
    assert contents(a | b) == plain_a | plain_b
    assert contents(a & b) == plain_a & plain_b
    assert contents(a - b) == plain_a - plain_b
    assert (a <= b) == (a - b == TrafficSet())
    assert (a - b) | (a & b) == a
    for protocol in PROTOCOLS:
        expected = {port for number, port, _ in plain_a if number == protocol}
        assert {port for port in PORTS if port in a.ports(protocol)} == expected


@given(rectangles)
def test_bands_are_ascending_disjoint_and_maximal(items: list[tuple[int | None, AddressSet, Interval]]) -> None:
    held, _ = traffic(items)
    for protocol in PROTOCOLS:
        bands = held.bands(protocol)
        assert all(band.sources and band.low <= band.high for band in bands)
        for left, right in pairwise(bands):
            assert left.high < right.low
            assert left.high + 1 < right.low or left.sources != right.sources


def test_neighbouring_ports_with_equal_sources_are_one_band() -> None:
    everybody = AddressSet.everything("ipv4")
    held = TrafficSet.of(TCP, everybody, (80, 80)) | TrafficSet.of(TCP, everybody, (81, 90))
    assert held.bands(TCP) == (Band(80, 90, everybody),)


def test_all_protocols_is_exact_for_each_and_can_lose_one() -> None:
    everybody = AddressSet.everything("ipv4")
    held = TrafficSet.of(None, everybody) - TrafficSet.of(TCP, everybody, (22, 22))
    assert held.ports(TCP) == PortSet.of((0, 21), (23, 65535))
    assert held.ports(UDP) == held.ports(ICMP) == held.ports(132) == PortSet.all()
    assert held | TrafficSet.of(TCP, everybody, (22, 22)) == TrafficSet.of(None, everybody)


def test_all_protocols_ignores_ports() -> None:
    assert TrafficSet.of(None, AddressSet.of("192.0.2.0/24"), (22, 22)).ports(UDP) == PortSet.all()


def test_nobody_is_the_empty_set() -> None:
    assert TrafficSet.of(TCP, AddressSet()) == TrafficSet()
    assert not TrafficSet.of(None, AddressSet())
    assert TrafficSet.union([]) == TrafficSet()


def test_from_sources_cuts_every_band() -> None:
    part = AddressSet.of("192.0.2.0/24")
    held = TrafficSet.of(TCP, AddressSet.everything("ipv4"), (80, 80)).from_sources(part)
    assert held.sources(TCP, 80) == part
    assert held.sources(TCP, 81) == AddressSet()


ranges = st.lists(st.one_of(st.integers(0, 40), st.tuples(st.integers(0, 20), st.integers(20, 40))), max_size=5)


@given(ranges, ranges)
def test_port_sets_are_sets_of_ports(one: list[int | Interval], other: list[int | Interval]) -> None:
    a, b = PortSet.of(*one), PortSet.of(*other)
    plain_a, plain_b = set(a), set(b)
    assert plain_a == {n for r in one for n in ([r] if isinstance(r, int) else range(r[0], r[1] + 1))}
    assert set(a | b) == plain_a | plain_b
    assert set(a & b) == plain_a & plain_b
    assert set(a - b) == plain_a - plain_b
    assert (a <= b) == (plain_a <= plain_b)
    assert len(a) == len(plain_a)
    assert all((port in a) == (port in plain_a) for port in range(42))


@pytest.mark.parametrize("wrong", [-1, 65536, (5, 4), (0, 70000)])
def test_what_is_no_port_is_refused(wrong: int | Interval) -> None:
    with pytest.raises(ValueError, match="not a port range"):
        PortSet.of(wrong)
