"""The public space, and what counts as the internet."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.model.addresses import AddressSet, normalise
from exposure_audit.model.internet import PUBLIC, breadth, share

# 2^32 less 0/8, 10/8, 100.64/10, 127/8, 169.254/16, 172.16/12, 192.0.0/24, 192.168/16, 198.18/15 and 224/3.
PUBLIC4 = 2**32 - (3 * 2**24 + 2**22 + 2**16 + 2**20 + 2**8 + 2**16 + 2**17 + 2**29)


def test_the_public_space_is_what_the_registries_leave() -> None:
    assert PUBLIC.size("ipv4") == PUBLIC4
    assert PUBLIC.size("ipv6") == 2**125
    for address in (
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "fd00::1",
        "fe80::1",
    ):
        assert address not in PUBLIC
    for address in ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"):
        assert address in PUBLIC


def test_the_whole_is_the_internet_however_it_is_cut() -> None:
    assert breadth(AddressSet.of("0.0.0.0/0"), "ipv4") == "internet"
    assert breadth(AddressSet.of("0.0.0.0/1", "128.0.0.0/1"), "ipv4") == "internet"
    assert breadth(AddressSet.of("2000::/3"), "ipv6") == "internet"
    assert breadth(AddressSet.everything("ipv4") - AddressSet.of("203.0.113.0/24"), "ipv4") == "internet"
    assert breadth(PUBLIC, "ipv4") == "internet"


def test_one_family_says_nothing_of_the_other() -> None:
    assert breadth(AddressSet.of("0.0.0.0/0"), "ipv6") == "narrow"
    assert share(AddressSet.of("::/0"), "ipv4") == 0


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        (("128.0.0.0/1",), "wide"),
        (("11.0.0.0/8",), "narrow"),  # 2^24 exactly is not more than 2^24.
        (("11.0.0.0/8", "12.0.0.0/32"), "wide"),
        (("203.0.113.7",), "narrow"),
        (("10.0.0.0/8", "127.0.0.0/8"), "narrow"),  # Not public at all.
    ],
)
def test_wide_begins_above_one_sixteen_millionth_of_ipv4(cidrs: tuple[str, ...], expected: str) -> None:
    assert breadth(AddressSet.of(*cidrs), "ipv4") == expected


def test_wide_begins_above_one_block_of_32_bits_of_ipv6() -> None:
    assert breadth(AddressSet.of("2001:db8::/32"), "ipv6") == "narrow"
    assert breadth(AddressSet.of("2001:db8::/31"), "ipv6") == "wide"


def test_the_internet_begins_at_ninety_nine_percent() -> None:
    first = PUBLIC.ipv4[0][0]
    whole = PUBLIC.only("ipv4")
    cut = PUBLIC4 // 100
    assert breadth(whole - AddressSet(ipv4=((first, first + cut - 1),)), "ipv4") == "internet"
    assert breadth(whole - AddressSet(ipv4=((first, first + cut),)), "ipv4") == "wide"


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**28)), max_size=4))
def test_the_share_is_exact_and_between_nothing_and_all(blocks: list[tuple[int, int]]) -> None:
    held = AddressSet(ipv4=normalise((low, min(low + size, 2**32 - 1)) for low, size in blocks))
    assert 0 <= share(held, "ipv4") <= 1
    assert share(held, "ipv4") + share(PUBLIC - held, "ipv4") == 1
    assert share(held, "ipv4") == Fraction((held & PUBLIC).size("ipv4"), PUBLIC4)
