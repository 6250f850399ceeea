"""Rules open to the world with nothing behind them."""

from typing import Any

from reach_estate import (
    HERE,
    PRIVATE_NET,
    SG,
    V6,
    WORLD4,
    WORLD6,
    acl,
    brief,
    coverage,
    entry,
    estate,
    group,
    interface,
    rule,
)

from exposure_audit.model.exposure import Exposure
from exposure_audit.reach.run import find_exposures


def dormant(*rules: Any, **changes: Any) -> list[Exposure]:
    return [item for item in find_exposures(estate(*rules, **changes)) if item.dormant]


def test_a_group_that_nothing_uses() -> None:
    (found,) = dormant(rule(22, WORLD4, native_id="sgr-1"), interfaces=())
    assert (found.asset, found.native_id, found.transport, found.port_from) == (SG, "sg-1", "tcp", 22)
    assert (found.breadth, found.truth, found.address) == ("internet", "true", "")
    assert [(hop.gate, hop.rule) for hop in found.path] == [("security-group", "sgr-1"), ("interface", "")]
    assert found.path[-1].text == "nothing uses it"


def test_why_nothing_is_behind_it() -> None:
    def why(**changes: Any) -> str:
        (found,) = dormant(rule(22, WORLD4), **changes)
        return found.path[-1].text

    assert why(interfaces=(interface(addresses=()),)) == "used by eni-1: no public address"
    stopped = interface(live=False, why_not_live="the instance is stopped")
    assert why(interfaces=(stopped,)) == "used by eni-1: the instance is stopped"
    two = (interface(subnet=PRIVATE_NET), interface(f"{HERE}:network-interface/eni-2", subnet=PRIVATE_NET))
    assert why(interfaces=two) == "used by eni-1 and 1 more: subnet-priv has no active route to an internet gateway"
    shut = (group(rule(22, WORLD4)), acl(ingress=()))
    assert why(filters=shut) == "used by eni-1: the network ACL of subnet-pub lets nothing of it through"


def test_what_is_reachable_is_not_dormant_even_in_part() -> None:
    assert dormant(rule(22, WORLD4)) == []
    part = (group(rule((1, 1000), WORLD4)), acl(ingress=(entry(100, 22, protocol=6),)))
    assert dormant(filters=part) == []


def test_a_rule_on_another_port_than_the_reachable_one_is_dormant() -> None:
    shut = (group(rule(22, WORLD4), rule(3389, WORLD4)), acl(ingress=(entry(100, 22, protocol=6),)))
    found = find_exposures(estate(filters=shut))
    assert brief(found, dormant=True) == [("", "tcp", 3389, 3389, "true")]


def test_narrow_and_private_rules_are_not_dormant_but_harmless() -> None:
    assert dormant(rule(22, "203.0.113.0/24"), rule(23, "10.0.0.0/8"), interfaces=()) == []


def test_both_families_of_one_rule_are_told_once() -> None:
    assert len(dormant(rule(22, WORLD4), rule(22, WORLD6), interfaces=())) == 1
    # Reachable over IPv6: the IPv4 twin needs no second look.
    assert dormant(rule(22, WORLD4), rule(22, WORLD6), interfaces=(interface(addresses=(V6,)),)) == []


def test_all_protocols_are_told_one_by_one() -> None:
    found = dormant(rule(None, WORLD4, protocol=None), interfaces=())
    assert [(item.transport, item.port_from, item.port_to) for item in found] == [
        ("icmp", None, None),
        ("tcp", 0, 65535),
        ("udp", 0, 65535),
    ]


def test_nothing_is_dormant_for_sure_when_interfaces_were_not_read() -> None:
    rows = (coverage(), coverage("denied", "interface", call="ec2.describe_network_interfaces"))
    (found,) = dormant(rule(22, WORLD4), interfaces=(), coverage=rows)
    assert found.truth == "unknown"
    assert "ec2.describe_network_interfaces" in found.path[-1].text


def test_what_may_be_reachable_is_told_as_unknown_and_not_as_dormant() -> None:
    found = find_exposures(estate(rule(22, WORLD4), route_tables=()))
    assert [(item.truth, item.dormant) for item in found] == [("unknown", False)]


def test_network_acls_are_never_dormant() -> None:
    assert dormant(interfaces=()) == []
