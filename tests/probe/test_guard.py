"""The scope guard against a model of it written with the standard library's ipaddress."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exposure_audit.model.plan import Scope
from exposure_audit.probe.guard import ScopeGuard, ScopeRefused

EVERYTHING = ("0.0.0.0/0", "::/0")
WIDEST = Scope(targets=EVERYTHING, names=("db.example.test",), allow_private=True, allow_loopback=True)

ipv4 = st.integers(0, 2**32 - 1).map(lambda value: str(ipaddress.IPv4Address(value)))
ipv6 = st.integers(0, 2**128 - 1).map(lambda value: str(ipaddress.IPv6Address(value)))
# Random integers hit special space rarely: aim at it.
near = st.sampled_from(
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0",
     "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::",
     "64:ff9b::1", "2001::1", "203.0.113.9", "2001:db8::9", "fd00:ec2::254", "100.100.100.200"]
)  # fmt: skip
addresses = st.one_of(ipv4, ipv6, near)
networks = st.one_of(
    st.tuples(ipv4, st.integers(0, 32)), st.tuples(ipv6, st.integers(0, 128)), st.tuples(near, st.just(32))
).map(lambda pair: str(ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False)))
scopes = st.builds(
    Scope,
    targets=st.lists(networks, max_size=6).map(tuple),
    allow_private=st.booleans(),
    allow_loopback=st.booleans(),
    loopback_only=st.booleans(),
)


@given(scopes, addresses)
def test_nothing_leaves_the_targets(scope: Scope, address: str) -> None:
    if ScopeGuard(scope).refusal(address, 80) is None:
        plain = ipaddress.ip_address(address)
        assert any(
            plain in network
            for text in scope.targets
            if (network := ipaddress.ip_network(text)).version == plain.version
        )


@given(addresses, st.booleans(), st.booleans())
@example("100.100.100.200", True, True)
@example("fd00:ec2::254", True, True)
def test_special_space_is_never_reached_without_leave(address: str, private: bool, loopback: bool) -> None:
    guard = ScopeGuard(Scope(targets=EVERYTHING, allow_private=private, allow_loopback=loopback))
    if guard.refusal(address, 443) is not None:
        return
    plain = ipaddress.ip_address(address)
    assert not plain.is_multicast
    assert not plain.is_unspecified
    assert getattr(plain, "ipv4_mapped", None) is None
    assert getattr(plain, "sixtofour", None) is None
    assert getattr(plain, "teredo", None) is None
    assert loopback or not plain.is_loopback
    assert private or not plain.is_link_local
    documentation = [ipaddress.ip_network(text) for text in
                     ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]  # fmt: skip
    if plain.is_private and not plain.is_loopback:
        assert private or any(plain in network for network in documentation if network.version == plain.version)


@given(scopes, addresses)
def test_loopback_only_is_loopback_and_nothing_else(scope: Scope, address: str) -> None:
    only = ScopeGuard(Scope(targets=scope.targets, allow_private=scope.allow_private, loopback_only=True))
    if only.refusal(address, 80) is None:
        assert ipaddress.ip_address(address).is_loopback
    every = ScopeGuard(Scope(targets=EVERYTHING, allow_private=True, allow_loopback=True, loopback_only=True))
    assert (every.refusal(address, 80) is None) == ipaddress.ip_address(address).is_loopback


@given(ipv4, ipv4)
def test_an_allowed_address_allows_no_neighbour(address: str, other: str) -> None:
    guard = ScopeGuard(Scope(targets=(address,), allow_private=True, allow_loopback=True))
    if other != address:
        assert guard.refusal(other, 80) == guard.refusal(other, 80) is not None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254", "168.63.129.16", "224.0.0.251",
     "ff02::1", "0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "240.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
     "::7f00:1", "2001:10::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1:2::3", "::ffff:0:7f00:1",
     "fec0::1", "4000::1"],
)  # fmt: skip
def test_some_space_is_refused_whatever_the_permissions(address: str) -> None:
    with pytest.raises(ScopeRefused):
        ScopeGuard(WIDEST).check(address, 80)
    with pytest.raises(ScopeRefused):
        ScopeGuard(WIDEST).check(address, 80, name="db.example.test")


@pytest.mark.parametrize(
    "text",
    [
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1/8",
        "127.0.0.1 ",
        "fe80::1%lo",
        "localhost",
        "",
        "::1]",
    ],
)
def test_only_plain_literals_are_addresses(text: str) -> None:
    why = ScopeGuard(WIDEST).refusal(text, 80)
    assert why is not None
    assert "not an address" in why


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_must_exist(port: int) -> None:
    with pytest.raises(ScopeRefused, match="port"):
        ScopeGuard(WIDEST).check("203.0.113.1", port)


def test_the_reason_says_which_permission_is_missing() -> None:
    guard = ScopeGuard(Scope(targets=EVERYTHING))
    assert "--allow-private" in str(guard.refusal("10.0.0.1", 80))
    assert "--allow-private" in str(guard.refusal("fd12::1", 80))
    assert "--allow-loopback" in str(guard.refusal("::1", 80))
    assert guard.refusal("203.0.113.5", 80) is None
    assert guard.refusal("2001:db8::5", 65535) is None


def test_a_name_of_the_scope_opens_the_internet_and_nothing_private() -> None:
    guard = ScopeGuard(Scope(names=("DB.example.test.",)))
    assert guard.refusal("203.0.113.5", 80, name="db.example.test") is None
    assert guard.refusal("203.0.113.5", 80) is not None, "the name allows, not the address"
    assert guard.refusal("203.0.113.5", 80, name="other.example.test") is not None
    assert guard.refusal("10.0.0.5", 80, name="db.example.test") is not None
    assert guard.refusal("127.0.0.1", 80, name="db.example.test") is not None


def test_loopback_only_looks_up_no_name_but_localhost() -> None:
    guard = ScopeGuard(Scope(names=("localhost", "db.example.test"), loopback_only=True))
    assert guard.refusal_of_name("localhost") is None
    assert guard.refusal_of_name("db.example.test") is not None
    assert guard.refusal("127.0.0.1", 80, name="localhost") is None
    assert guard.refusal("203.0.113.5", 80, name="localhost") is not None
