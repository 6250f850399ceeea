"""Inputs on which other scanners were seen to err; each with the right answer.

Prowler 5.46: literal `0.0.0.0/0` only, main route tables of other networks, ports beyond its list, balancers "not
public". Cartography, CloudSploit, ScoutSuite: rules without an address, drops read as allows.
"""

from typing import Any

import msgspec
import pytest
from reach_estate import (
    HERE,
    PUBLIC_NET,
    SG,
    V6,
    VPC,
    WORLD4,
    WORLD6,
    acl,
    brief,
    entry,
    estate,
    group,
    interface,
    live,
    rule,
)

from exposure_audit.model.inventory import AddressList, Front, Inventory, Listener
from exposure_audit.reach.run import find_exposures


@pytest.mark.parametrize("port", [6379, 8123, 9000, 11434, 8265, 6333, 19530, 27017])
def test_every_open_port_is_told_with_its_number_address_and_rule(port: int) -> None:
    (found,) = find_exposures(estate(rule(port, WORLD4, native_id="sgr-7")))
    assert (found.address, found.port_from, found.port_to) == ("198.51.100.10", port, port)
    assert found.path[-1].rule == "sgr-7"


@pytest.mark.parametrize(
    "cidrs", [(WORLD6,), ("::/1", "8000::/1"), ("2000::/3",), ("2000::/4", "3000::/4"), ("2000::/2", "2000::/3")]
)
def test_all_of_ipv6_however_it_is_written(cidrs: tuple[str, ...]) -> None:
    (found,) = find_exposures(estate(rule(22, *cidrs), interfaces=(interface(addresses=(V6,)),)))
    assert found.breadth == "internet"


def test_all_but_one_network_in_twenty_four_blocks_is_the_internet() -> None:
    # 0.0.0.0/0 less 203.0.113.0/24, as a person who must not write 0.0.0.0/0 writes it.
    blocks, low = [], 0
    target = int.from_bytes(bytes((203, 0, 113, 0)), "big")
    for length in range(1, 25):
        size = 1 << (32 - length)
        inside = low if target < low + size else low + size
        other = low + size if inside == low else low
        blocks.append(f"{'.'.join(str(byte) for byte in other.to_bytes(4, 'big'))}/{length}")
        low = inside
    (found,) = find_exposures(estate(rule(22, *blocks)))
    assert (found.breadth, found.sources_except) == ("internet", ("203.0.113.0/24",))


def test_a_prefix_list_of_everybody_is_everybody() -> None:
    name = f"{HERE}:prefix-list/pl-1"
    lists = (AddressList(id=name, native_id="pl-1", entries=("0.0.0.0/1", "128.0.0.0/1")),)
    (found,) = find_exposures(estate(rule(22, address_lists=(name,)), address_lists=lists))
    assert found.breadth == "internet"


def test_udp_counts() -> None:
    assert brief(find_exposures(estate(rule(11211, WORLD4, protocol=17)))) == [
        ("198.51.100.10", "udp", 11211, 11211, "true")
    ]


def test_a_group_with_two_ports_is_not_all_ports_open() -> None:
    found = find_exposures(estate(rule(80, WORLD4), rule(443, WORLD4)))
    assert [(item.port_from, item.port_to) for item in found] == [(80, 80), (443, 443)]


def test_a_few_partner_addresses_are_told_and_are_narrow() -> None:
    (found,) = find_exposures(estate(rule(443, "203.0.113.8/29")))
    assert (found.breadth, found.sources) == ("narrow", ("203.0.113.8/29",))


def test_egress_opens_nothing() -> None:
    talker = group(egress=(rule(22, WORLD4), rule(None, WORLD4, protocol=None)))
    assert find_exposures(estate(filters=(talker, acl()))) == ()


def test_an_open_group_without_an_address_is_dormant_and_not_exposed() -> None:
    world = estate(rule(22, WORLD4), interfaces=(interface(addresses=()),))
    assert live(find_exposures(world)) == []
    assert brief(find_exposures(world), dormant=True) == [("", "tcp", 22, 22, "true")]


def test_the_default_group_is_judged_by_its_rules() -> None:
    default = msgspec.structs.replace(group(rule(22, WORLD4)), name="default")
    assert brief(find_exposures(estate(filters=(default, acl())))) == [("198.51.100.10", "tcp", 22, 22, "true")]


def test_a_deny_of_an_acl_is_not_an_allow() -> None:
    shut = acl(ingress=(entry(100, 22, protocol=6, allow=False),))
    assert live(find_exposures(estate(filters=(group(rule(22, WORLD4)), shut)))) == []


def balancer(**changes: Any) -> Inventory:
    fields: dict[str, Any] = {
        "id": f"{HERE}:load-balancer/app/web/1",
        "native_id": "web",
        "kind": "application",
        "dns_name": "web.example",
        "public": True,
        "network": VPC,
        "subnets": (PUBLIC_NET,),
        "filters": (SG,),
        "listeners": (
            Listener(native_id="l", protocol=6, port_from=443, port_to=443, application="HTTPS", passes=False),
        ),
    }
    return estate(rule(443, WORLD4), interfaces=(), fronts=(Front(**(fields | changes)),))


def test_an_internet_facing_application_balancer_is_public() -> None:
    assert brief(find_exposures(balancer())) == [("web.example", "tcp", 443, 443, "true")]


def test_an_internet_facing_network_balancer_without_groups_is_public() -> None:
    found = live(find_exposures(balancer(kind="network", filters=None)))
    assert [(item.address, item.port_from, item.breadth) for item in found] == [("web.example", 443, "internet")]


def test_what_the_path_names_is_what_must_be_mended() -> None:
    # Taking away the rules that the paths name closes everything: a fix that does not close is no fix.
    rules = [rule(22, WORLD4), rule(22, "203.0.113.0/24"), rule((20, 30), "0.0.0.0/1"), rule(443, "10.0.0.0/8")]
    while True:
        found = live(find_exposures(estate(*rules)))
        if not found:
            break
        named = {hop.rule for item in found for hop in item.path if hop.gate == "security-group"}
        assert named
        assert named <= {item.native_id for item in rules}
        rules = [item for item in rules if item.native_id not in named]
    assert [item.port_from for item in rules] == [443]
