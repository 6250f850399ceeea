"""An interface with a public address, gate by gate; each test changes one gate of a reachable world."""

from reach_estate import (
    HERE,
    IGW,
    INSTANCE,
    OUT4,
    OUT6,
    PRIVATE_NET,
    SG,
    V6,
    VPC,
    WORLD4,
    WORLD6,
    acl,
    brief,
    coverage,
    entry,
    estate,
    group,
    interface,
    live,
    rule,
    subnet,
    table,
)

from exposure_audit.model.inventory import AddressList, Gateway, Network, PublicAddress, Route
from exposure_audit.reach.run import find_exposures

REDIS = ("198.51.100.10", "tcp", 6379, 6379, "true")


def test_a_public_instance_with_an_open_port_and_the_whole_path_to_it() -> None:
    (found,) = find_exposures(estate(rule(6379, WORLD4, native_id="sgr-1", text="allow tcp 6379 from 0.0.0.0/0")))
    assert (found.asset, found.native_id, found.via, found.family) == (INSTANCE, "i-1", "direct", "ipv4")
    assert (found.breadth, found.sources, found.sources_except) == ("internet", (), ())
    assert found.id.startswith("exp-")
    assert len(found.id) == 16
    assert [(hop.gate, hop.native_id, hop.rule) for hop in found.path] == [
        ("address", "eni-1", ""),
        ("internet-gateway", "igw-1", ""),
        ("route", "rtb-1", "0.0.0.0/0"),
        ("network-acl", "acl-1", "rule 100"),
        ("network-acl", "acl-1", "rule 100"),
        ("security-group", "sg-1", "sgr-1"),
    ]
    assert found.path[-1].text == "allow tcp 6379 from 0.0.0.0/0"


def test_half_the_internet_twice_is_the_internet_and_one_exposure() -> None:
    (found,) = find_exposures(estate(rule(6379, "0.0.0.0/1"), rule(6379, "128.0.0.0/1")))
    assert found.breadth == "internet"
    assert "(and 1 more rule)" in found.path[-1].text


def test_both_halves_of_ipv6_are_the_internet() -> None:
    world = estate(rule(443, "::/1"), rule(443, "8000::/1"), interfaces=(interface(addresses=(V6,)),))
    (found,) = find_exposures(world)
    assert (found.address, found.family, found.breadth) == ("2001:db8::10", "ipv6", "internet")


def test_ipv4_ranges_never_open_ipv6() -> None:
    world = estate(rule(443, WORLD4), interfaces=(interface(addresses=(V6,)),))
    assert live(find_exposures(world)) == []


def test_neighbouring_ports_with_the_same_sources_are_one_range_and_others_are_not() -> None:
    world = estate(rule(80, WORLD4), rule((81, 90), WORLD4), rule(22, "203.0.113.0/24"), rule(91, "203.0.113.0/24"))
    found = find_exposures(world)
    assert [(item.port_from, item.port_to, item.breadth) for item in found] == [
        (22, 22, "narrow"),
        (80, 90, "internet"),
        (91, 91, "narrow"),
    ]
    assert found[0].sources == ("203.0.113.0/24",)
    assert found[0].sources_except is None


def test_all_but_one_network_is_said_as_an_exception() -> None:
    # NACL denies one /24, everybody else passes.
    closed = acl(ingress=(entry(90, None, "203.0.113.0/24", allow=False), entry(100)))
    (found,) = find_exposures(estate(rule(22, WORLD4), filters=(group(rule(22, WORLD4)), closed)))
    assert (found.sources, found.sources_except, found.breadth) == ((), ("203.0.113.0/24",), "internet")


def test_private_and_special_sources_are_never_the_internet() -> None:
    world = estate(
        rule(22, "10.0.0.0/8"), rule(23, "127.0.0.0/8"), rule(24, "fd00::/8"), rule(25, "169.254.0.0/16")
    )
    assert find_exposures(world) == ()


def test_all_protocols_open_tcp_udp_and_echo() -> None:
    found = find_exposures(estate(rule(22, WORLD4, protocol=None)))
    assert brief(found) == [
        ("198.51.100.10", "icmp", None, None, "true"),
        ("198.51.100.10", "tcp", 0, 65535, "true"),
        ("198.51.100.10", "udp", 0, 65535, "true"),
    ]


def test_icmp_is_told_for_echo_requests_only() -> None:
    echo, unreachable = rule((2048, 2303), WORLD4, protocol=1), rule((768, 1023), WORLD4, protocol=1)
    assert brief(find_exposures(estate(echo))) == [("198.51.100.10", "icmp", None, None, "true")]
    assert live(find_exposures(estate(unreachable))) == []


def test_icmpv6_echo_is_type_128() -> None:
    six = (interface(addresses=(V6,)),)
    echo = rule((128 * 256, 128 * 256 + 255), WORLD6, protocol=58)
    assert brief(find_exposures(estate(echo, interfaces=six))) == [("2001:db8::10", "icmp", None, None, "true")]
    assert live(find_exposures(estate(rule(None, WORLD6, protocol=1), interfaces=six))) == []


def test_a_protocol_named_by_number_is_told_by_number() -> None:
    found = find_exposures(estate(rule(None, WORLD4, protocol=47)))
    assert brief(found) == [("198.51.100.10", "47", None, None, "true")]


def test_rules_of_all_groups_are_united_and_a_tight_group_restricts_nothing() -> None:
    second = f"{HERE}:security-group/sg-2"
    world = estate(
        filters=(group(rule(22, "203.0.113.0/24")), group(rule(22, WORLD4), name=second), acl()),
        interfaces=(interface(filters=(SG, second)),),
    )
    (found,) = find_exposures(world)
    assert found.breadth == "internet"
    assert [hop.native_id for hop in found.path if hop.gate == "security-group"] == ["sg-2", "sg-1"]


def test_a_rule_that_names_a_group_is_about_private_addresses() -> None:
    assert live(find_exposures(estate(rule(6379, groups=(SG,))))) == []


def test_prefix_lists_are_expanded_by_family() -> None:
    listed = AddressList(
        id=f"{HERE}:prefix-list/pl-1", native_id="pl-1", entries=("203.0.113.0/24", "2001:db8:1::/48")
    )
    world = estate(rule(22, address_lists=(listed.id,)), address_lists=(listed,))
    (found,) = find_exposures(world)
    assert found.sources == ("203.0.113.0/24",)


def test_an_unread_prefix_list_may_be_anybody() -> None:
    listed = AddressList(id=f"{HERE}:prefix-list/pl-1", native_id="pl-1", entries=None)
    world = estate(rule(22, address_lists=(listed.id,)), address_lists=(listed,))
    (found,) = find_exposures(world)
    assert (found.truth, found.breadth) == ("unknown", "internet")
    assert "pl-1 could not be read" in found.path[-1].text


def test_every_address_of_every_interface_counts() -> None:
    second = (
        PublicAddress(address="198.51.100.10", family="ipv4", private="10.0.0.10"),
        PublicAddress(address="198.51.100.11", family="ipv4", private="10.0.0.11", native_id="eipalloc-1"),
    )
    other = interface(f"{HERE}:network-interface/eni-2", addresses=(V6,), filters=(f"{HERE}:security-group/sg-2",))
    filters = (group(rule(22, WORLD4)), group(rule(23, WORLD6), name=f"{HERE}:security-group/sg-2"), acl())
    found = find_exposures(estate(interfaces=(interface(addresses=second), other), filters=filters))
    assert [(item.address, item.port_from) for item in found] == [
        ("198.51.100.10", 22),
        ("198.51.100.11", 22),
        ("2001:db8::10", 23),
    ]


def test_what_is_not_live_or_takes_nothing_in_is_not_reachable() -> None:
    stopped = interface(live=False, why_not_live="the instance is stopped")
    assert live(find_exposures(estate(rule(22, WORLD4), interfaces=(stopped,)))) == []
    assert (
        live(find_exposures(estate(rule(22, WORLD4), interfaces=(interface(inbound=False, service="nat"),)))) == []
    )
    assert live(find_exposures(estate(rule(22, WORLD4), interfaces=(interface(addresses=()),)))) == []


# --- gateways and routes ---------------------------------------------------------------------------------------


def test_an_address_in_a_network_without_gateway_is_not_reachable_whatever_other_networks_have() -> None:
    # Another network's main table with a gateway says nothing about this one.
    other = f"{HERE}:vpc/vpc-2"
    foreign = table(OUT4, subnets=(), main=True, native_id="rtb-other", network=other)
    world = estate(
        rule(6379, WORLD4),
        gateways=(Gateway(id=IGW, native_id="igw-1", kind="internet", networks=(other,)),),
        route_tables=(foreign, table(subnets=(), main=True, native_id="rtb-main")),
    )
    found = find_exposures(world)
    assert live(found) == []
    assert brief(found, dormant=True) == [("", "tcp", 6379, 6379, "true")]
    assert found[0].path[-1].text == "used by eni-1: vpc-1 has no internet gateway"


def test_main_table_serves_subnets_without_association() -> None:
    main = table(OUT4, subnets=(), main=True)
    assert brief(find_exposures(estate(rule(6379, WORLD4), route_tables=(main,)))) == [REDIS]


def test_an_explicit_association_replaces_the_main_table() -> None:
    tables = (table(OUT4, subnets=(), main=True), table(native_id="rtb-2"))
    assert live(find_exposures(estate(rule(6379, WORLD4), route_tables=tables))) == []


def test_two_half_routes_are_a_default_route() -> None:
    halves = [Route(destination=half, target="internet", target_id=IGW) for half in ("0.0.0.0/1", "128.0.0.0/1")]
    (found,) = find_exposures(estate(rule(6379, WORLD4), route_tables=(table(*halves),)))
    assert found.breadth == "internet"


def test_the_longest_prefix_wins_and_a_blackhole_drops() -> None:
    gone = Route(destination="203.0.113.0/24", target="private", target_id="vgw-1", active=False)
    (found,) = find_exposures(estate(rule(6379, WORLD4), route_tables=(table(OUT4, gone),)))
    assert found.sources_except == ("203.0.113.0/24",)


def test_a_default_route_elsewhere_leaves_only_what_the_gateway_is_told() -> None:
    nat = Route(destination=WORLD4, target="nat", target_id="nat-1")
    some = Route(destination="203.0.113.0/24", target="internet", target_id=IGW)
    (found,) = find_exposures(estate(rule(6379, WORLD4), route_tables=(table(nat, some),)))
    assert (found.sources, found.breadth) == (("203.0.113.0/24",), "narrow")


def test_of_equal_prefixes_the_static_route_wins() -> None:
    propagated = Route(destination=WORLD4, target="private", target_id="vgw-1", propagated=True)
    assert brief(find_exposures(estate(rule(6379, WORLD4), route_tables=(table(propagated, OUT4),)))) == [REDIS]


def test_families_have_routes_of_their_own() -> None:
    both = (interface(addresses=(*interface().addresses, V6)),)
    rules = (rule(443, WORLD4), rule(443, WORLD6))
    found = find_exposures(estate(*rules, interfaces=both, route_tables=(table(OUT6),)))
    assert [item.family for item in live(found)] == ["ipv6"]


def test_an_egress_only_gateway_and_nat_take_nothing_in() -> None:
    six = (interface(addresses=(V6,)),)
    only = Route(destination=WORLD6, target="egress-only", target_id="eigw-1")
    assert live(find_exposures(estate(rule(443, WORLD6), interfaces=six, route_tables=(table(only),)))) == []
    nat = Route(destination=WORLD4, target="nat", target_id="nat-1")
    assert live(find_exposures(estate(rule(443, WORLD4), route_tables=(table(nat),)))) == []


def test_a_gateway_attached_elsewhere_is_a_dead_end() -> None:
    other = Gateway(id=f"{HERE}:internet-gateway/igw-2", native_id="igw-2", kind="internet", networks=("x",))
    mine = Gateway(id=IGW, native_id="igw-1", kind="internet", networks=(VPC,))
    wrong = Route(destination=WORLD4, target="internet", target_id=other.id)
    world = estate(rule(6379, WORLD4), gateways=(mine, other), route_tables=(table(wrong),))
    assert live(find_exposures(world)) == []


def test_a_default_route_to_a_middlebox_is_conditional() -> None:
    firewall = Route(destination=WORLD4, target="middlebox", target_id="vpce-1")
    (found,) = find_exposures(estate(rule(6379, WORLD4), route_tables=(table(firewall),)))
    assert (found.truth, found.breadth) == ("conditional", "internet")
    assert [hop.native_id for hop in found.path if hop.truth == "conditional"] == ["rtb-1"]


def test_an_edge_route_to_an_appliance_is_conditional() -> None:
    edge = table(
        Route(destination="10.0.0.0/24", target="middlebox", target_id="vpce-1"),
        subnets=(),
        gateways=(IGW,),
        native_id="rtb-edge",
    )
    (found,) = find_exposures(estate(rule(6379, WORLD4), route_tables=(table(OUT4), edge)))
    assert found.truth == "conditional"
    assert any(hop.gate == "middlebox" and hop.native_id == "rtb-edge" for hop in found.path)


def test_an_edge_route_for_another_subnet_changes_nothing() -> None:
    edge = table(
        Route(destination="10.0.1.0/24", target="middlebox", target_id="vpce-1"),
        subnets=(),
        gateways=(IGW,),
        native_id="rtb-edge",
    )
    assert brief(find_exposures(estate(rule(6379, WORLD4), route_tables=(table(OUT4), edge)))) == [REDIS]


# --- blocks and network ACLs -----------------------------------------------------------------------------------


def test_blocked_public_access_closes_and_an_exclusion_of_the_subnet_opens_again() -> None:
    blocked = (Network(id=VPC, native_id="vpc-1", ingress_block=True),)
    shut = (subnet(ingress_block=True),)
    assert live(find_exposures(estate(rule(6379, WORLD4), networks=blocked, subnets=shut))) == []
    excluded = (subnet(ingress_block=False),)
    assert brief(find_exposures(estate(rule(6379, WORLD4), networks=blocked, subnets=excluded))) == [REDIS]


def test_whether_public_access_is_blocked_may_be_unknown() -> None:
    networks, subnets = (Network(id=VPC, native_id="vpc-1", ingress_block=None),), (subnet(ingress_block=None),)
    (found,) = find_exposures(estate(rule(6379, WORLD4), networks=networks, subnets=subnets))
    assert found.truth == "unknown"
    assert any(hop.gate == "public-access-block" and hop.truth == "unknown" for hop in found.path)


def acls(ingress: object, egress: object = (entry(100),), port: int = 6379, protocol: int = 6) -> object:
    return find_exposures(estate(filters=(group(rule(port, WORLD4, protocol=protocol)), acl(ingress, egress))))  # type: ignore[arg-type]


def test_rules_of_an_acl_are_read_in_order_whatever_order_they_are_listed_in() -> None:
    shut = (entry(200), entry(100, 6379, allow=False, protocol=6))
    assert live(acls(shut)) == []  # type: ignore[arg-type]
    opened = (entry(200, 6379, allow=False, protocol=6), entry(100))
    assert brief(acls(opened)) == [REDIS]  # type: ignore[arg-type]


def test_an_acl_without_a_match_denies() -> None:
    assert live(acls((entry(100, 22, protocol=6),))) == []  # type: ignore[arg-type]


def test_two_half_rules_of_an_acl_allow_everybody() -> None:
    halves = (entry(100, None, "0.0.0.0/1"), entry(101, None, "128.0.0.0/1"))
    (found,) = live(acls(halves))  # type: ignore[arg-type]
    assert found.breadth == "internet"


def test_the_answer_must_leave_to_the_port_of_the_client_not_of_the_server() -> None:
    # A stateless ACL that lets out port 6379 only answers nobody: clients wait at 1024-65535, 6379 among them…
    assert [item.crafted_source_port for item in live(acls((entry(100),), (entry(100, 6379, protocol=6),)))] == [  # type: ignore[arg-type]
        False
    ]
    # …but for port 443 only clients that bind 443 themselves get an answer.
    (odd,) = live(acls((entry(100),), (entry(100, 443, protocol=6),), port=443))  # type: ignore[arg-type]
    assert (odd.crafted_source_port, odd.breadth) == (True, "internet")


def test_no_answer_closes_tcp_and_leaves_udp_one_way() -> None:
    assert live(acls((entry(100),), ())) == []  # type: ignore[arg-type]
    (found,) = live(acls((entry(100),), (), port=514, protocol=17))  # type: ignore[arg-type]
    assert (found.transport, found.one_way, found.truth) == ("udp", True, "true")


def test_udp_to_an_address_without_a_route_back_is_one_way() -> None:
    nat = Route(destination=WORLD4, target="nat", target_id="nat-1")
    (found,) = find_exposures(estate(rule(514, WORLD4, protocol=17), route_tables=(table(nat),)))
    assert (found.one_way, found.breadth) == (True, "internet")


def test_echo_needs_the_echo_reply_to_leave() -> None:
    ping = (group(rule((2048, 2048), WORLD4, protocol=1)), acl(egress=(entry(100, (2048, 2048), protocol=1),)))
    assert live(find_exposures(estate(filters=ping))) == []
    pong = (group(rule((2048, 2048), WORLD4, protocol=1)), acl(egress=(entry(100, (0, 0), protocol=1),)))
    assert [item.transport for item in find_exposures(estate(filters=pong))] == ["icmp"]


def test_an_ipv4_only_acl_is_closed_for_ipv6() -> None:
    four = acl(ingress=(entry(100, None, WORLD4),), egress=(entry(100, None, WORLD4),))
    world = estate(filters=(group(rule(443, WORLD6)), four), interfaces=(interface(addresses=(V6,)),))
    assert live(find_exposures(world)) == []


# --- what could not be read ------------------------------------------------------------------------------------


def test_unread_groups_mean_every_port_perhaps() -> None:
    denied = coverage("denied", "filter", call="ec2.describe_security_groups", detail="UnauthorizedOperation")
    found = find_exposures(estate(filters=(acl(),), coverage=(coverage(), denied)))
    assert brief(found) == [
        ("198.51.100.10", "icmp", None, None, "unknown"),
        ("198.51.100.10", "tcp", 0, 65535, "unknown"),
        ("198.51.100.10", "udp", 0, 65535, "unknown"),
    ]
    assert "UnauthorizedOperation" in found[0].path[-1].text


def test_what_a_read_group_opens_is_sure_even_beside_an_unread_one() -> None:
    world = estate(rule(22, WORLD4), interfaces=(interface(filters=(SG, f"{HERE}:security-group/sg-gone")),))
    tcp = [item for item in brief(find_exposures(world)) if item[1] == "tcp"]
    assert tcp == [
        ("198.51.100.10", "tcp", 0, 21, "unknown"),
        ("198.51.100.10", "tcp", 22, 22, "true"),
        ("198.51.100.10", "tcp", 23, 65535, "unknown"),
    ]


def unknown_by(gate: str, **changes: object) -> None:
    (found,) = find_exposures(estate(rule(6379, WORLD4), **changes))
    assert (found.truth, found.breadth, found.port_from) == ("unknown", "internet", 6379)
    assert gate in [hop.gate for hop in found.path if hop.truth == "unknown"]


def test_each_unread_gate_is_named_and_nothing_is_dropped() -> None:
    unknown_by("network-acl", subnets=(subnet(filters=None),))
    unknown_by("network-acl", filters=(group(rule(6379, WORLD4)),))
    unknown_by("route", route_tables=())
    unknown_by("internet-gateway", gateways=())
    unknown_by("internet-gateway", gateways=(), route_tables=(), coverage=(coverage("throttled", "gateway"),))
    unknown_by("network-acl", subnets=())
    unknown_by("route", route_tables=(table(Route(destination=WORLD4, target="unknown")),))
    unknown_by("route", route_tables=(table(OUT4, Route(destination="pl-gone", target="private")),))


def test_a_gate_that_is_surely_closed_stays_closed_beside_unread_ones() -> None:
    # No gateway, and gateways were read: nothing else matters.
    world = estate(rule(6379, WORLD4), gateways=(), route_tables=(), subnets=())
    assert live(find_exposures(world)) == []


def test_nothing_is_known_of_a_place_that_nobody_asked_about() -> None:
    world = estate(rule(6379, WORLD4), gateways=(), route_tables=(), coverage=())
    assert [item.truth for item in live(find_exposures(world))] == ["unknown"]


# --- interfaces of services ------------------------------------------------------------------------------------


def test_interfaces_of_balancers_and_databases_are_told_by_those() -> None:
    nodes = (interface(asset=f"{HERE}:load-balancer/app/x/1", service="elb"),)
    assert live(find_exposures(estate(rule(443, WORLD4), interfaces=nodes))) == []


def test_when_balancers_could_not_be_read_their_interfaces_speak_and_doubt() -> None:
    nodes = (interface(asset=f"{HERE}:load-balancer/app/x/1", service="elb"),)
    rows = (coverage(), coverage("denied", "front", call="elbv2.describe_load_balancers"))
    found = find_exposures(estate(rule(443, WORLD4), interfaces=nodes, coverage=rows))
    assert brief(found) == [("198.51.100.10", "tcp", 443, 443, "unknown")]


def test_the_interface_of_a_service_without_a_noun_of_its_own_is_walked() -> None:
    task = (interface(asset=f"{HERE}:network-interface/eni-1", service="redshift"),)
    assert brief(find_exposures(estate(rule(6379, WORLD4), interfaces=task))) == [REDIS]


def test_the_private_subnet_is_private() -> None:
    hidden = (interface(subnet=PRIVATE_NET),)
    assert live(find_exposures(estate(rule(6379, WORLD4), interfaces=hidden))) == []


def test_a_route_by_prefix_list_is_named_by_the_list() -> None:
    name = f"{HERE}:prefix-list/pl-9"
    lists = (AddressList(id=name, native_id="pl-9", entries=("203.0.113.0/24",)),)
    tables = (table(Route(destination=name, target="internet", target_id=IGW)),)
    (found,) = find_exposures(estate(rule(6379, WORLD4), address_lists=lists, route_tables=tables))
    assert found.sources == ("203.0.113.0/24",)
    assert [hop.rule for hop in found.path if hop.gate == "route"] == ["pl-9"]


def test_an_edge_route_in_a_subnet_of_unknown_size_may_divert_it() -> None:
    edge = table(
        Route(destination="10.0.0.0/24", target="middlebox", target_id="vpce-1"),
        subnets=(),
        gateways=(IGW,),
        native_id="rtb-edge",
    )
    unsized = (subnet(cidrs=()),)
    (found,) = find_exposures(estate(rule(6379, WORLD4), subnets=unsized, route_tables=(table(OUT4), edge)))
    assert found.truth == "conditional"


def test_an_edge_route_that_drops_closes() -> None:
    edge = table(Route(destination="10.0.0.0/24", target="none"), subnets=(), gateways=(IGW,), native_id="rtb-edge")
    assert live(find_exposures(estate(rule(6379, WORLD4), route_tables=(table(OUT4), edge)))) == []
