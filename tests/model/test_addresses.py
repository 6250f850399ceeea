"""Address sets, held against Python sets of single addresses and against `ipaddress`."""

from ipaddress import IPv6Network, collapse_addresses, ip_network, summarize_address_range
from ipaddress import ip_address as parse
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.model.addresses import (
    BITS,
    AddressSet,
    Family,
    Intervals,
    count,
    format_address,
    intersect,
    normalise,
    parse_cidr,
    subtract,
)

# A universe of 64 numbers is small enough to be tried whole, and large enough for every way two intervals can meet.
SPAN = 64
pairs = st.tuples(st.integers(0, SPAN - 1), st.integers(0, SPAN - 1)).map(lambda pair: (min(pair), max(pair)))
raw = st.lists(pairs, max_size=6)


def numbers(intervals: Intervals) -> set[int]:
    return {n for low, high in intervals for n in range(low, high + 1)}


def is_normal(intervals: Intervals) -> bool:
    return all(low <= high for low, high in intervals) and all(
        left[1] + 1 < right[0] for left, right in pairwise(intervals)
    )


@given(raw)
def test_normalise_keeps_the_numbers_and_nothing_touches(items: list[tuple[int, int]]) -> None:
    found = normalise(items)
    assert numbers(found) == {n for low, high in items for n in range(low, high + 1)}
    assert is_normal(found)
    assert count(found) == len(numbers(found))


@given(raw, raw)
def test_intersection_and_difference_are_those_of_sets(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    left, right = normalise(a), normalise(b)
    both, rest = intersect(left, right), subtract(left, right)
    assert numbers(both) == numbers(left) & numbers(right)
    assert numbers(rest) == numbers(left) - numbers(right)
    assert is_normal(both)
    assert is_normal(rest)
    assert intersect(right, left) == both


def address_set(items: list[tuple[int, int]], more: list[tuple[int, int]]) -> AddressSet:
    return AddressSet(normalise(items), normalise(more))


sets = st.builds(address_set, raw, raw)


@given(sets, sets, sets)
def test_the_laws_of_sets_hold(a: AddressSet, b: AddressSet, c: AddressSet) -> None:
    assert a | b == b | a
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert (a - b) | (a & b) == a
    assert (a <= b) == (a & b == a)
    assert bool(a) == (a != AddressSet())
    assert hash(a | b) == hash(b | a)
    assert a.only("ipv4") | a.only("ipv6") == a


def everywhere(family: Family) -> st.SearchStrategy[tuple[int, int]]:
    edges = st.one_of(st.integers(0, (1 << BITS[family]) - 1), st.sampled_from((0, (1 << BITS[family]) - 1)))
    return st.tuples(edges, edges).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(everywhere("ipv4"), max_size=4), st.lists(everywhere("ipv6"), max_size=3))
def test_the_list_of_cidrs_is_minimal_and_reads_back(
    four: list[tuple[int, int]], six: list[tuple[int, int]]
) -> None:
    held = address_set(four, six)
    assert AddressSet.of(*held.cidrs()) == held
    blocks = [
        block
        for low, high in held.ipv4
        for block in summarize_address_range(
            parse(format_address("ipv4", low)),
            parse(format_address("ipv4", high)),
        )
    ]
    assert list(held.cidrs("ipv4")) == [str(block) for block in blocks]
    nets = [IPv6Network(text) for text in held.cidrs("ipv6")]
    assert list(collapse_addresses(nets)) == nets


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 32))
def test_ipv4_cidrs_are_read_as_ipaddress_reads_them(value: int, length: int) -> None:
    text = f"{format_address('ipv4', value)}/{length}"
    block = ip_network(text, strict=False)
    assert parse_cidr(text) == ("ipv4", (int(block[0]), int(block[-1])))


@given(st.integers(0, (1 << 128) - 1), st.integers(0, 128))
def test_ipv6_cidrs_are_read_as_ipaddress_reads_them(value: int, length: int) -> None:
    text = f"{format_address('ipv6', value)}/{length}"
    block = ip_network(text, strict=False)
    low = int(block.network_address)
    assert parse_cidr(text) == ("ipv6", (low, low + block.num_addresses - 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/",
        "192.0.2.0/2 4",
        "192.0.2.0/²",
        "192.0.2.0/+8",
        "2001:db8::/129",
        "2001:db8::g",
        "::ffff:192.0.2.1.2",
        "localhost",
        "192.0.2.1\n",
        "192.0.2.1 ",
        "192.0.2.\x001",
        "192.0.2.\ud800",
        "192.0.2.0/" + "1" * 5000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an address or CIDR|prefix length"):
        parse_cidr(text)


def test_half_the_internet_twice_is_everything() -> None:
    assert AddressSet.of("0.0.0.0/1", "128.0.0.0/1") == AddressSet.everything("ipv4")
    assert AddressSet.of("::/1", "8000::/1") == AddressSet.everything("ipv6")
    assert AddressSet.of("0.0.0.0/1", "128.0.0.0/1").cidrs() == ("0.0.0.0/0",)
    assert AddressSet.everything() == AddressSet.everything("ipv4") | AddressSet.everything("ipv6")


def test_all_but_one_block_is_as_many_cidrs_as_its_prefix_is_long() -> None:
    rest = AddressSet.everything("ipv4") - AddressSet.of("203.0.113.0/24")
    assert len(rest.cidrs()) == 24
    assert rest.size("ipv4") == (1 << 32) - 256
    assert "203.0.113.9" not in rest
    assert "203.0.114.0" in rest


def test_families_never_mix() -> None:
    four, six = AddressSet.of("0.0.0.0/0"), AddressSet.of("::/0")
    assert not four & six
    assert not four <= six
    assert AddressSet.of("2001:db8::1").size("ipv4") == 0
