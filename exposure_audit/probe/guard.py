"""The scope guard: the last thing that every packet passes, below drivers, sweeps and libraries.

A packet goes to an address that the plan's scope holds (or that a name of the scope resolved to), and never to
space that is not the internet's unless the scope says so. Sources: IANA IPv4 and IPv6 Special-Purpose Address
Registries; the metadata addresses that AWS, Alibaba Cloud, Azure, Google Cloud and Oracle document.
"""

from bisect import bisect_right

from exposure_audit.model.addresses import AddressSet, Family, Intervals, parse_cidr
from exposure_audit.model.internet import PUBLIC
from exposure_audit.model.plan import Scope

METADATA = AddressSet.of(
    "168.63.129.16",
    "169.254.169.123",
    "169.254.169.250/31",
    "169.254.169.253",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::/32",
    "fd20:ce::254",
)
LOOPBACK = AddressSet.of("127.0.0.0/8", "::1")
LINK_LOCAL = AddressSet.of("169.254.0.0/16", "fe80::/10")
PRIVATE = AddressSet.of(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "fc00::/7",
)
# An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, Teredo, 6to4) says where a packet really
# goes in a place that nobody checks: IPv4 is written as IPv4 here.
DISGUISED = AddressSet.of(
    "::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"
) | AddressSet.of("2001::/32", "2002::/16")
_NEVER: tuple[tuple[str, AddressSet], ...] = (
    ("a metadata or platform service of a cloud", METADATA),
    ("an unspecified address", AddressSet.of("0.0.0.0/8", "::")),
    ("multicast", AddressSet.of("224.0.0.0/4", "ff00::/8")),
    ("broadcast or reserved space", AddressSet.of("240.0.0.0/4")),
    ("an IPv4 address disguised as IPv6", DISGUISED - AddressSet.of("::1")),
)
# IETF protocol assignments: benchmarks, ORCHID, anycast of protocols; nobody's server.
_PROTOCOL = AddressSet.of("2001::/23")
_SCANNED_SPACE = (PUBLIC - _PROTOCOL) | PRIVATE | LINK_LOCAL | LOOPBACK
_REMEMBERED = 65_536


class ScopeRefused(Exception):
    """The scope guard does not let a packet out; the message says why."""


class ScopeGuard:
    """Says yes or no to each (address, port) just before the packet. Immutable once built."""

    def __init__(self, scope: Scope) -> None:
        self._allowed = AddressSet.of(*scope.targets)
        self._names = frozenset(name.lower().rstrip(".") for name in scope.names)
        self._barred = _barred(scope)
        self._loopback_only = scope.loopback_only
        self._lows: dict[Family, tuple[int, ...]] = {
            "ipv4": tuple(low for low, _ in self._allowed.ipv4),
            "ipv6": tuple(low for low, _ in self._allowed.ipv6),
        }
        self._memory: dict[str, str | None] = {}

    def check(self, address: str, port: int, *, name: str = "") -> None:
        """Raise ScopeRefused unless a packet may go to this address and port.

        `name` is the DNS name that resolved to the address, if one did: then the name must be in the scope.
        """
        why = self.refusal(address, port, name=name)
        if why is not None:
            raise ScopeRefused(why)

    def refusal(self, address: str, port: int, *, name: str = "") -> str | None:
        """Return why no packet may go there; None when it may."""
        if not 1 <= port <= 65535:
            return f"port {port} does not exist"
        if name:
            return self.refusal_of_name(name) or self._judge(address, by_name=True)
        if address not in self._memory:
            if len(self._memory) >= _REMEMBERED:
                self._memory.clear()
            self._memory[address] = self._judge(address, by_name=False)
        return self._memory[address]

    def refusal_of_name(self, name: str) -> str | None:
        """Return why a name must not even be looked up; None when it may be."""
        plain = name.lower().rstrip(".")
        if plain not in self._names:
            return f"{name} is not in scope"
        if self._loopback_only and plain != "localhost":
            return f"{name} is not localhost (loopback only)"
        return None

    def _judge(self, address: str, *, by_name: bool) -> str | None:
        if "/" in address:
            return f"not an address: {address!r}"
        try:
            family, (value, _) = parse_cidr(address)
        except ValueError:
            return f"not an address: {address!r}"
        for what, space in self._barred:
            if _holds(space.ipv4 if family == "ipv4" else space.ipv6, value):
                return f"{address} is {what}"
        if not by_name and not self._in_scope(family, value):
            return f"{address} is not in scope"
        return None

    def _in_scope(self, family: Family, value: int) -> bool:
        intervals = self._allowed.ipv4 if family == "ipv4" else self._allowed.ipv6
        at = bisect_right(self._lows[family], value) - 1
        return at >= 0 and value <= intervals[at][1]


def _holds(intervals: Intervals, value: int) -> bool:
    return any(low <= value <= high for low, high in intervals)


def _barred(scope: Scope) -> tuple[tuple[str, AddressSet], ...]:
    """What is refused whatever the allow-list says, with the words to say so, most telling first."""
    if scope.loopback_only:
        return (*_NEVER, ("not loopback (loopback only)", AddressSet.everything() - LOOPBACK))
    barred = [*_NEVER]
    if not scope.allow_loopback:
        barred.append(("loopback (--allow-loopback lets it)", LOOPBACK))
    if not scope.allow_private:
        barred.append(("link-local (--allow-private lets it)", LINK_LOCAL))
        barred.append(("private space (--allow-private lets it)", PRIVATE))
    barred.append(("no address of the internet", AddressSet.everything() - _SCANNED_SPACE))
    return tuple(barred)
