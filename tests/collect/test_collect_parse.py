"""The web-shop snapshot, filled by hand as the AWS command line would: every expectation is worked out on paper."""

from pathlib import Path

import pytest

from exposure_audit.collect.read import read_inventory
from exposure_audit.model.inventory import Filter, Front, Interface, Inventory, Rule, Target

HERE = "aws:111122223333:us-east-1"
ARN = "arn:aws:elasticloadbalancing:us-east-1:111122223333"


@pytest.fixture(scope="module")
def shop() -> Inventory:
    return read_inventory(Path(__file__).parents[2] / "fixtures/cloud/aws/web-shop")


def _interface(shop: Inventory, native_id: str) -> Interface:
    return next(one for one in shop.interfaces if one.native_id == native_id)


def _filter(shop: Inventory, native_id: str) -> Filter:
    return next(one for one in shop.filters if one.native_id == native_id)


def _front(shop: Inventory, suffix: str) -> Front:
    return next(one for one in shop.fronts if one.id == f"{HERE}:load-balancer/{suffix}")


def test_secondary_addresses_and_ipv6_are_public_and_unique_local_is_not(shop: Inventory) -> None:
    found = _interface(shop, "eni-run")
    assert [(one.address, one.private, one.kind, one.native_id) for one in found.addresses] == [
        ("198.51.100.10", "10.0.0.10", "automatic", ""),
        ("198.51.100.11", "10.0.0.11", "elastic", "eipalloc-1"),
        ("2001:db8::10", "2001:db8::10", "ipv6", ""),
    ]
    assert found.private_addresses == ("10.0.0.10", "10.0.0.11", "2001:db8::10", "fd00::10")
    assert found.asset == f"{HERE}:instance/i-run"
    assert found.filters == (f"{HERE}:security-group/sg-db", f"{HERE}:security-group/sg-web")
    assert (found.live, found.inbound, found.service, found.device) == (True, True, "", 0)


@pytest.mark.parametrize(
    ("native_id", "why"),
    [("eni-stop", "the instance is stopped"), ("eni-free", "the interface is available")],
)
def test_what_does_not_run_or_hangs_loose_is_not_live(shop: Inventory, native_id: str, why: str) -> None:
    found = _interface(shop, native_id)
    assert (found.live, found.why_not_live) == (False, why)


@pytest.mark.parametrize(
    ("native_id", "service", "inbound", "asset"),
    [
        ("eni-nat", "nat", False, f"{HERE}:network-interface/eni-nat"),
        ("eni-alb", "elb", True, f"{HERE}:load-balancer/app/web/50dc6c495c0c9188"),
        ("eni-rds", "rds", True, f"{HERE}:network-interface/eni-rds"),
        ("eni-deny", "", False, f"{HERE}:network-interface/eni-deny"),
        # Fargate has no noun of its own: its interface stays an asset of its own.
        ("eni-fargate", "", True, f"{HERE}:network-interface/eni-fargate"),
        # A description that anybody can write hides nothing.
        ("eni-lie", "", True, f"{HERE}:instance/i-run"),
    ],
)
def test_interfaces_of_services(shop: Inventory, native_id: str, service: str, inbound: bool, asset: str) -> None:
    found = _interface(shop, native_id)
    assert (found.service, found.inbound, found.asset) == (service, inbound, asset)


def test_assets(shop: Inventory) -> None:
    names = {one.native_id: one for one in shop.assets}
    assert "i-gone" not in names
    assert names["i-run"].name == "cache"
    assert names["i-run"].tags == {"Name": "cache", "env": "prod"}
    assert names["i-stop"].state == "stopped"
    assert names["ledger"].kind == "db-cluster"
    assert "eni-run" not in names
    assert names["eni-fargate"].kind == "network-interface"
    assert [(one.native_id, one.name, one.details) for one in shop.idle_addresses] == [
        ("eipalloc-9", "spare", {"address": "198.51.100.99"})
    ]
    assert [one.id for one in shop.assets] == sorted(one.id for one in shop.assets)


def _what(rule: Rule) -> tuple[object, ...]:
    return (
        rule.native_id,
        rule.protocol,
        rule.port_from,
        rule.port_to,
        rule.cidrs + rule.address_lists + rule.groups,
    )


def test_security_group_rules_one_a_source_with_their_ids(shop: Inventory) -> None:
    web = _filter(shop, "sg-web")
    assert (web.semantics, web.stateful, web.default_allow) == ("union-of-allows", True, False)
    half = "sg-web tcp 80-443 from 128.0.0.0/1"  # No id was read for this one: it is described.
    assert [_what(rule) for rule in web.ingress] == [
        ("sgr-half", 6, 80, 443, ("0.0.0.0/1",)),
        (half, 6, 80, 443, ("128.0.0.0/1",)),
        ("sgr-six", 6, 80, 443, ("::/0",)),
        ("sgr-list", 6, 80, 443, (f"{HERE}:prefix-list/pl-office",)),
        ("sgr-group", 6, 80, 443, ("aws:444455556666:us-east-1:security-group/sg-db",)),
        ("sgr-all", None, 0, 65535, ("192.0.2.7/32",)),
        # ICMP type 8 with any code: 8 * 256 to 8 * 256 + 255; type 3 code 4: 3 * 256 + 4.
        ("sg-web icmp type 8 from 0.0.0.0/0", 1, 2048, 2303, ("0.0.0.0/0",)),
        ("sg-web icmp type 3 code 4 from 0.0.0.0/0", 1, 772, 772, ("0.0.0.0/0",)),
        ("sg-web icmpv6 from ::/0", 58, 0, 65535, ("::/0",)),
        # GRE has no ports: the range is ignored (API reference, IpPermission).
        ("sg-web protocol 47 from 0.0.0.0/0", 47, 0, 65535, ("0.0.0.0/0",)),
        ("sg-web udp 53 from 0.0.0.0/0", 17, 53, 53, ("0.0.0.0/0",)),
    ]
    assert web.ingress[0].text == "allow tcp 80-443 from 0.0.0.0/1 (half)"
    assert [_what(rule) for rule in web.egress] == [("sgr-out", None, 0, 65535, ("0.0.0.0/0",))]


def test_network_acl_in_the_order_of_its_numbers(shop: Inventory) -> None:
    acl = _filter(shop, "acl-1")
    assert (acl.semantics, acl.stateful, acl.default_allow) == ("first-match", False, False)
    assert [(rule.order, rule.allow, *_what(rule)[1:]) for rule in acl.ingress] == [
        (90, False, 1, 2048, 2303, ("192.0.2.0/24",)),
        (100, True, 6, 80, 443, ("0.0.0.0/0",)),
        (32767, False, None, 0, 65535, ("0.0.0.0/0",)),
    ]
    assert [(rule.order, rule.allow, rule.cidrs) for rule in acl.egress] == [(100, True, ("::/0",))]


def test_subnets_know_their_acl_and_whether_ingress_is_blocked(shop: Inventory) -> None:
    a, b = shop.subnets
    assert (a.filters, a.assigns_public, a.ingress_block) == ((f"{HERE}:network-acl/acl-1",), True, True)
    # No ACL names subnet-b, and its block mode is one that we do not know: unknown, not none.
    assert (b.filters, b.ingress_block) == (None, None)
    assert shop.networks[0].cidrs == ("10.0.0.0/16", "2001:db8::/56")
    assert shop.networks[0].ingress_block is False


def test_routes(shop: Inventory) -> None:
    tables = {one.native_id: one for one in shop.route_tables}
    assert (tables["rtb-main"].main, tables["rtb-main"].subnets) == (True, ())
    assert tables["rtb-public"].subnets == (f"{HERE}:subnet/subnet-a",)
    assert tables["rtb-edge"].gateways == (f"{HERE}:internet-gateway/igw-1",)
    assert [(one.destination, one.target, one.target_id) for one in tables["rtb-public"].routes] == [
        ("0.0.0.0/0", "internet", f"{HERE}:internet-gateway/igw-1"),
        ("::/0", "egress-only", f"{HERE}:egress-only-internet-gateway/eigw-1"),
        (f"{HERE}:prefix-list/pl-s3", "private", "vpce-s3"),
        ("198.51.100.0/24", "middlebox", "vpce-fw"),
        ("192.0.2.0/24", "none", "pcx-1"),
        ("172.16.0.0/12", "private", "vgw-1"),
        ("203.0.113.0/24", "interface", f"{HERE}:network-interface/eni-run"),
    ]
    assert [one.propagated for one in tables["rtb-public"].routes].index(True) == 5
    assert {one.native_id: (one.kind, one.networks) for one in shop.gateways} == {
        "igw-1": ("internet", (f"{HERE}:vpc/vpc-1",)),
        "igw-off": ("internet", ()),
        "eigw-1": ("egress-only", (f"{HERE}:vpc/vpc-1",)),
        "nat-1": ("nat", (f"{HERE}:vpc/vpc-1",)),
        "nat-old": ("nat", ()),
    }


def test_a_prefix_list_without_entries_is_unknown_and_said(shop: Inventory) -> None:
    lists = {one.native_id: one.entries for one in shop.address_lists}
    assert lists == {"pl-office": ("203.0.113.0/25", "203.0.113.128/25"), "pl-s3": None}
    gaps = [row for row in shop.coverage if row.status != "ok"]
    assert [(row.call, row.status, row.yields) for row in gaps] == [
        ("ec2.get_managed_prefix_list_entries", "failed", ("address-list",))
    ]
    assert "pl-s3" in gaps[0].detail


def test_classic_balancer(shop: Inventory) -> None:
    old = _front(shop, "old")
    assert (old.kind, old.public, old.dns_name) == ("classic", True, "old.example")
    assert old.listeners
    assert (old.listeners[0].port_from, old.listeners[0].application) == (6379, "TCP")
    assert old.listeners[0].targets == (
        Target(native_id="i-run", kind="instance", asset=f"{HERE}:instance/i-run", port=6380),
    )


def test_application_balancer_follows_rules_and_weights(shop: Inventory) -> None:
    web = _front(shop, "app/web/50dc6c495c0c9188")
    assert (web.kind, web.public, web.families, web.live) == ("application", True, ("ipv4", "ipv6"), True)
    assert web.listeners
    plain, tls = web.listeners
    assert (plain.port_from, plain.passes, plain.targets) == (80, False, ())
    # `off` has weight 0; `canary` stands behind a condition and a login, and still gets traffic.
    groups = (f"{HERE}:target-group/canary/2222", f"{HERE}:target-group/web/1111")
    assert (tls.port_from, tls.passes, tls.target_group) == (443, True, ",".join(groups))
    assert tls.targets
    assert [(one.native_id, one.kind, one.port, one.healthy, one.draining) for one in tls.targets] == [
        ("10.0.0.30", "address", 8080, False, False),
        ("i-run", "instance", 8000, True, False),
        ("i-stop", "instance", 80, None, True),
    ]


def test_network_balancer_without_groups_lets_everybody_through(shop: Inventory) -> None:
    edge = _front(shop, "net/edge/1234567890abcdef")
    assert (edge.filters, edge.live) == (None, False)
    assert edge.listeners
    assert [(one.protocol, one.port_from, one.preserves_client) for one in edge.listeners] == [
        (6, 53, True),
        (17, 53, True),
    ]


def test_databases(shop: Inventory) -> None:
    doors = {one.native_id: one for one in shop.doors}
    assert sorted(doors) == ["asleep", "docs", "orders"]  # `newborn` has no endpoint yet.
    orders = doors["orders"]
    assert (orders.service, orders.port, orders.public, orders.live) == ("postgresql", 5432, True, True)
    # Two subnets of its zone are possible; the only fitting interface is in subnet-b.
    assert orders.subnets == (f"{HERE}:subnet/subnet-b",)
    assert orders.filters == (f"{HERE}:security-group/sg-db",)
    assert (doors["docs"].service, doors["docs"].public) == ("mongodb", False)
    asleep = doors["asleep"]
    assert (asleep.service, asleep.live, asleep.subnets) == ("mysql", False, (f"{HERE}:subnet/subnet-a",))
