"""The public address space, and how much of it a set of sources covers."""

from fractions import Fraction
from typing import Literal

from exposure_audit.model.addresses import AddressSet, Family, count, intersect

Breadth = Literal["internet", "wide", "narrow"]

# IANA IPv4 and IPv6 Special-Purpose Address Registries: every block that is not globally reachable,
# and multicast and reserved space. 2001:db8::/32 and the three TEST-NETs are documentation; they are
# counted as public here, because inventories in tests and examples use them and no real asset does.
_SPECIAL = AddressSet.of(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
)

PUBLIC = (AddressSet.everything("ipv4") - _SPECIAL) | AddressSet.of("2000::/3")
"""All addresses from which, and at which, the internet speaks."""

_SIZES: dict[Family, int] = {"ipv4": PUBLIC.size("ipv4"), "ipv6": PUBLIC.size("ipv6")}
_INTERNET_PERCENT = 99
_WIDE: dict[Family, int] = {"ipv4": 1 << 24, "ipv6": 1 << 96}


def share(sources: AddressSet, family: Family) -> Fraction:
    """Return which part of the public space of a family the sources cover, from 0 to 1."""
    return Fraction(_covered(sources, family), _SIZES[family])


def _covered(sources: AddressSet, family: Family) -> int:
    if family == "ipv4":
        return count(intersect(sources.ipv4, PUBLIC.ipv4))
    return count(intersect(sources.ipv6, PUBLIC.ipv6))


def breadth(sources: AddressSet, family: Family) -> Breadth:
    """Classify sources: `internet` from 99 %, `wide` above 2^24 IPv4 addresses or one IPv6 /32."""
    if sources.size(family) <= _WIDE[family]:
        return "narrow"  # Most are, and their public part is not larger.
    covered = _covered(sources, family)
    if covered * 100 >= _SIZES[family] * _INTERNET_PERCENT:
        return "internet"
    return "wide" if covered > _WIDE[family] else "narrow"
