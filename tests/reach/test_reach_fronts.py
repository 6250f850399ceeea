"""Load balancers: what their listeners show, and what stands behind them."""

from typing import Any

import msgspec
from reach_estate import (
    HERE,
    INSTANCE,
    OUT4,
    OUT6,
    PRIVATE_NET,
    PUBLIC_NET,
    SG,
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

from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Filter, Front, Inventory, Listener, Target
from exposure_audit.reach.run import find_exposures

ALB, NLB = f"{HERE}:load-balancer/app/web/1", f"{HERE}:load-balancer/net/db/1"
LB_SG = f"{HERE}:security-group/sg-lb"
DNS = "web-1.eu-west-1.elb.example"


def target(**changes: Any) -> Target:
    fields: dict[str, Any] = {"native_id": "i-1", "kind": "instance", "asset": INSTANCE, "port": 8123}
    return Target(**(fields | changes))


def listener(port: int = 443, *targets: Target, **changes: Any) -> Listener:
    fields: dict[str, Any] = {"native_id": f"listener-{port}", "protocol": 6, "port_from": port, "port_to": port}
    return Listener(**(fields | {"targets": targets or (target(),)} | changes))


def front(*listeners: Listener, **changes: Any) -> Front:
    fields: dict[str, Any] = {
        "id": ALB,
        "native_id": "web",
        "kind": "application",
        "dns_name": DNS,
        "public": True,
        "network": VPC,
        "subnets": (PUBLIC_NET,),
        "filters": (LB_SG,),
        "listeners": listeners or (listener(),),
    }
    return Front(**(fields | changes))


def node(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "asset": ALB,
        "service": "elb",
        "filters": (LB_SG,),
        "addresses": (),
        "private_addresses": ("10.0.0.5",),
    }
    return interface(f"{HERE}:network-interface/eni-lb", **(fields | changes))


def world(
    *fronts: Front,
    behind: Filter | None = None,
    before: Filter | None = None,
    interfaces: tuple[Any, ...] | None = None,
    **changes: Any,
) -> Inventory:
    """A private instance behind a public balancer."""
    hidden = interface(subnet=PRIVATE_NET, addresses=(), private_addresses=("10.0.1.20",))
    fields: dict[str, Any] = {
        "fronts": fronts,
        "interfaces": (hidden, node()) if interfaces is None else interfaces,
        "filters": (
            behind or group(rule(8123, groups=(LB_SG,))),
            before or group(rule(443, WORLD4), name=LB_SG),
            acl(),
        ),
    }
    return estate(**(fields | changes))


def behind(found: tuple[Exposure, ...]) -> list[Exposure]:
    return [item for item in found if item.via == "behind-front"]


def test_a_listener_is_exposed_and_the_target_behind_it_too() -> None:
    first, second = sorted(live(find_exposures(world(front()))), key=lambda item: item.via)
    assert (second.asset, second.via, second.address, second.port_from) == (ALB, "front", DNS, 443)
    assert (first.asset, first.native_id, first.via, first.front) == (INSTANCE, "i-1", "behind-front", ALB)
    assert (first.address, first.port_from, first.target_port, first.breadth) == (DNS, 443, 8123, "internet")
    assert first.truth == "true"
    assert [hop.gate for hop in first.path] == [
        "front",
        "internet-gateway",
        "route",
        "network-acl",
        "network-acl",
        "security-group",
        "listener",
        "target",
        "security-group",
        "network-acl",
        "network-acl",
    ]
    assert "port 8123" in first.path[7].text


def test_only_listener_ports_are_open_whatever_the_group_allows() -> None:
    wide = group(rule(None, WORLD4), name=LB_SG)
    found = [item for item in find_exposures(world(front(), before=wide)) if item.via == "front"]
    assert [(item.transport, item.port_from, item.port_to) for item in found] == [("tcp", 443, 443)]


def test_a_tight_group_of_the_balancer_closes_the_listener() -> None:
    tight = group(rule(443, "203.0.113.0/24"), name=LB_SG)
    found = live(find_exposures(world(front(), before=tight)))
    assert {item.sources for item in found} == {("203.0.113.0/24",)}
    shut = group(rule(80, WORLD4), name=LB_SG)
    assert live(find_exposures(world(front(), before=shut))) == []


def test_a_balancer_without_groups_lets_every_client_in() -> None:
    plain = front(filters=None, kind="network")
    found = [
        item
        for item in live(find_exposures(world(plain, behind=group(rule(8123, "10.0.0.0/16")))))
        if item.via == "front"
    ]
    assert [(item.port_from, item.breadth, item.truth) for item in found] == [(443, "internet", "true")]


def test_internal_and_dead_balancers_show_nothing() -> None:
    assert live(find_exposures(world(front(public=False)))) == []
    assert live(find_exposures(world(front(live=False)))) == []


def test_one_subnet_with_a_route_is_enough() -> None:
    both = front(subnets=(PRIVATE_NET, PUBLIC_NET))
    assert [item.truth for item in live(find_exposures(world(both)))] == ["true", "true"]
    assert live(find_exposures(world(front(subnets=(PRIVATE_NET,))))) == []


def test_families_of_a_dual_stack_balancer() -> None:
    six = front(families=("ipv4", "ipv6"))
    before = group(rule(443, WORLD6), name=LB_SG)
    found = live(find_exposures(world(six, before=before)))
    assert {item.family for item in found} == {"ipv6"}
    # The target has an IPv4 address: the balancer speaks to it with its own.
    assert len(behind(tuple(found))) == 1


# --- what the target's filters see -------------------------------------------------------------------------------


def test_without_preservation_the_target_sees_the_front() -> None:
    def reached(allowed: Any) -> list[str]:
        return [item.truth for item in behind(find_exposures(world(front(), behind=group(allowed))))]

    assert reached(rule(8123, groups=(LB_SG,))) == ["true"]
    assert reached(rule(8123, "10.0.0.0/24")) == ["true"]
    assert reached(rule(8123, "10.0.0.5/32")) == ["true"]
    assert reached(rule(8123, "10.0.9.0/24")) == []
    assert reached(rule(443, groups=(LB_SG,))) == []  # The listener's port is not the target's.
    assert reached(rule(8123, WORLD4)) == ["true"]
    assert reached(rule(8123, "203.0.113.0/24")) == []


def test_when_the_addresses_of_the_front_are_not_known_its_subnets_stand_for_them() -> None:
    hidden = (interface(subnet=PRIVATE_NET, addresses=(), private_addresses=("10.0.1.20",)),)

    def reached(cidr: str) -> list[str]:
        inventory = world(front(), behind=group(rule(8123, cidr)), interfaces=hidden)
        return [item.truth for item in behind(find_exposures(inventory))]

    assert reached("10.0.0.0/24") == ["true"]
    assert reached("10.0.0.0/28") == ["unknown"]
    assert reached("10.0.9.0/24") == []


def preserved(allowed: Any, keeps: bool | None = True, **changes: Any) -> list[tuple[str, str]]:
    network = front(listener(preserves_client=keeps), id=NLB, kind="network", filters=None)
    inventory = world(network, behind=group(allowed), interfaces=(interface(**(HIDDEN | changes)), node(asset=NLB)))
    return [(item.truth, item.breadth) for item in behind(find_exposures(inventory))]


HIDDEN: dict[str, Any] = {"subnet": PRIVATE_NET, "addresses": (), "private_addresses": ("10.0.1.20",)}


def test_with_preservation_the_target_sees_the_client() -> None:
    assert preserved(rule(8123, WORLD4)) == [("true", "internet")]
    assert preserved(rule(8123, "203.0.113.0/24")) == [("true", "narrow")]
    # "Only from inside the VPC" protects with preservation, and not without.
    assert preserved(rule(8123, "10.0.0.0/16")) == []
    assert preserved(rule(8123, "10.0.0.0/16"), keeps=False) == [("true", "internet")]


def test_when_preservation_was_not_read_both_ways_are_possible() -> None:
    assert preserved(rule(8123, "10.0.0.0/16"), keeps=None) == [("unknown", "internet")]
    assert preserved(rule(8123, "203.0.113.0/24"), keeps=None) == [("unknown", "narrow")]
    assert preserved(rule(9, WORLD4), keeps=None) == []


def test_a_preserved_client_meets_the_acl_of_the_target_but_not_inside_one_subnet() -> None:
    tight = acl(ingress=(entry(100, None, "10.0.0.0/16"),), name=f"{HERE}:network-acl/acl-2")
    network = front(listener(preserves_client=True), id=NLB, kind="network", filters=None)
    opened = group(rule(8123, WORLD4))
    filters = (opened, group(name=LB_SG), acl(), tight)
    apart = (subnet(), subnet(PRIVATE_NET, filters=(tight.id,)))
    assert behind(find_exposures(world(network, filters=filters, subnets=apart))) == []
    together = msgspec.structs.replace(network, subnets=(PUBLIC_NET, PRIVATE_NET))
    assert len(behind(find_exposures(world(together, filters=filters, subnets=apart)))) == 1


def test_acls_between_the_subnets_of_front_and_target_are_met_both_ways() -> None:
    # The front's subnet lets nothing back in from the target: no answer.
    deaf = acl(ingress=(entry(100, 443, protocol=6),), egress=(entry(100),))
    filters = (group(rule(8123, groups=(LB_SG,))), group(rule(443, WORLD4), name=LB_SG), deaf)
    other = acl(name=f"{HERE}:network-acl/acl-2")
    subnets = (subnet(), subnet(PRIVATE_NET, filters=(other.id,)))
    assert behind(find_exposures(world(front(), filters=(*filters, other), subnets=subnets))) == []
    # In one subnet no ACL is met.
    same = (interface(addresses=(), private_addresses=("10.0.0.20",)), node())
    assert (
        len(behind(find_exposures(world(front(), filters=(*filters, other), interfaces=same, subnets=subnets))))
        == 1
    )


def test_the_front_must_be_let_out_by_its_own_groups() -> None:
    mute = group(rule(443, WORLD4), name=LB_SG, egress=(rule(8123, groups=(f"{HERE}:security-group/other",)),))
    assert behind(find_exposures(world(front(), before=mute))) == []
    spoken = group(rule(443, WORLD4), name=LB_SG, egress=(rule(8123, groups=(SG,)),))
    assert len(behind(find_exposures(world(front(), before=spoken)))) == 1


# --- which target ------------------------------------------------------------------------------------------------


def targets(*many: Target, **changes: Any) -> list[Exposure]:
    return behind(find_exposures(world(front(listener(443, *many)), **changes)))


def test_a_target_by_address_is_the_interface_that_holds_it() -> None:
    (found,) = targets(target(kind="address", asset="", address="10.0.1.20", native_id="10.0.1.20"))
    assert (found.asset, found.native_id, found.truth) == (INSTANCE, "i-1", "true")


def test_a_target_that_nobody_knows_is_told_as_unknown() -> None:
    (found,) = targets(target(kind="address", asset="", address="192.168.1.1", native_id="192.168.1.1"))
    assert (found.asset, found.native_id, found.truth) == (ALB, "192.168.1.1", "unknown")
    (found,) = targets(target(asset=f"{HERE}:instance/i-gone", native_id="i-gone"))
    assert (found.native_id, found.truth) == ("i-gone", "unknown")
    (found,) = targets(target(kind="unknown", asset=""))
    assert found.truth == "unknown"


def test_an_instance_target_is_its_primary_interface() -> None:
    second = interface(
        f"{HERE}:network-interface/eni-2",
        addresses=(),
        subnet=PRIVATE_NET,
        private_addresses=("10.0.1.21",),
        filters=(f"{HERE}:security-group/sg-open",),
        device=1,
    )
    opened = group(rule(8123, WORLD4), name=f"{HERE}:security-group/sg-open")
    closed = group()
    filters = (opened, closed, group(rule(443, WORLD4), name=LB_SG), acl())
    hidden = interface(**HIDDEN)
    first = msgspec.structs.replace(hidden, device=0)
    assert targets(target(), interfaces=(first, second, node()), filters=filters) == []
    # Not said which is primary: the open one may be.
    unsaid = msgspec.structs.replace(second, device=None)
    (found,) = targets(target(), interfaces=(hidden, unsaid, node()), filters=filters)
    assert found.truth == "unknown"


def test_draining_and_stopped_targets_get_nothing_and_unhealthy_ones_do() -> None:
    assert targets(target(draining=True)) == []
    stopped = interface(subnet=PRIVATE_NET, addresses=(), private_addresses=("10.0.1.20",), live=False)
    assert targets(target(), interfaces=(stopped, node())) == []
    assert len(targets(target(healthy=False))) == 1


def test_a_function_has_no_filters() -> None:
    function = f"{HERE}:function/f"
    (found,) = targets(target(kind="function", asset=function, native_id="f", port=None))
    assert (found.asset, found.native_id, found.target_port, found.truth) == (function, "f", None, "true")


def test_a_redirect_has_nothing_behind_it() -> None:
    found = find_exposures(world(front(listener(passes=False))))
    assert [item.via for item in live(found)] == ["front"]


def test_one_instance_on_two_ports_is_two_exposures() -> None:
    both = group(rule((8000, 9000), groups=(LB_SG,)))
    found = targets(target(port=8123), target(port=8124), behind=both)
    assert [item.target_port for item in found] == [8123, 8124] or [item.target_port for item in found] == [
        8124,
        8123,
    ]
    assert len({item.id for item in found}) == 2


def test_an_internal_balancer_behind_a_public_one_is_public() -> None:
    inner_sg = f"{HERE}:security-group/sg-inner"
    inner = front(
        listener(80),
        id=f"{HERE}:load-balancer/app/inner/1",
        native_id="inner",
        public=False,
        filters=(inner_sg,),
        dns_name="internal",
    )
    passing = listener(443, target(kind="front", asset=inner.id, native_id="inner", port=80), preserves_client=True)
    outer = front(passing, id=NLB, native_id="outer", kind="network", filters=None)

    def reached(allowed: Any) -> list[tuple[str, int | None]]:
        filters = (group(rule(8123, groups=(inner_sg,))), group(allowed, name=inner_sg), acl())
        found = behind(find_exposures(world(outer, inner, filters=filters)))
        return [(item.native_id, item.target_port) for item in found]

    assert reached(rule(80, WORLD4)) == [("i-1", 8123), ("inner", 80)]
    assert reached(rule(80, "10.0.0.0/16")) == []


def test_fronts_in_a_circle_end() -> None:
    first, second = f"{HERE}:load-balancer/net/a/1", f"{HERE}:load-balancer/net/b/1"
    to_second = listener(443, target(kind="front", asset=second, native_id="b", port=443), preserves_client=True)
    to_first = listener(443, target(kind="front", asset=first, native_id="a", port=443), preserves_client=True)
    loop = (
        front(to_second, id=first, native_id="a", kind="network", filters=None),
        front(to_first, id=second, native_id="b", kind="network", filters=None, dns_name="b"),
    )
    found = behind(find_exposures(world(*loop)))
    assert len(found) == len({item.id for item in found})


# --- unread ------------------------------------------------------------------------------------------------------


def test_unread_listeners_mean_any_port_that_the_groups_allow() -> None:
    wide = group(rule((80, 90), WORLD4), name=LB_SG)
    rows = (coverage(), coverage("denied", "listener", call="elbv2.describe_listeners", detail="AccessDenied"))
    found = live(find_exposures(world(front(listeners=None), before=wide, coverage=rows)))
    assert brief(tuple(found)) == [(DNS, "tcp", 80, 90, "unknown")]
    assert "AccessDenied" in found[0].path[-1].text


def test_unread_targets_are_told() -> None:
    (found,) = behind(find_exposures(world(front(listener(targets=None)))))
    assert (found.asset, found.truth) == (ALB, "unknown")


def test_unread_groups_of_front_and_target_are_unknown() -> None:
    found = live(find_exposures(world(front(), filters=(group(rule(8123, groups=(LB_SG,))), acl()))))
    assert {item.truth for item in found} == {"unknown"}
    found = behind(find_exposures(world(front(), filters=(group(rule(443, WORLD4), name=LB_SG), acl()))))
    assert [item.truth for item in found] == ["unknown"]


def test_routes_decide_for_each_subnet_of_the_front() -> None:
    tables = (table(OUT4, OUT6, subnets=(PRIVATE_NET,)), table(native_id="rtb-2"))
    assert live(find_exposures(world(front(), route_tables=tables))) == []


def test_a_sure_way_in_makes_a_doubtful_one_beside_it_unimportant() -> None:
    doubtful = f"{HERE}:subnet/subnet-unread"
    found = live(find_exposures(world(front(subnets=(PUBLIC_NET, doubtful)))))
    assert {(item.via, item.truth) for item in found} == {("front", "true"), ("behind-front", "true")}
    # Without the sure one the doubt stays.
    tables = (table(OUT4, subnets=(), main=True), table(subnets=(PRIVATE_NET,), native_id="rtb-2"))
    found = live(find_exposures(world(front(subnets=(PRIVATE_NET, doubtful)), route_tables=tables)))
    assert {item.truth for item in found} == {"unknown"}


def test_clients_of_every_subnet_are_united() -> None:
    low, high = (f"{HERE}:network-acl/acl-{half}" for half in ("low", "high"))
    halves = (
        acl(ingress=(entry(100, None, "0.0.0.0/1"),), name=low),
        acl(ingress=(entry(100, None, "128.0.0.0/1"),), name=high),
    )
    subnets = (subnet(filters=(low,)), subnet(PRIVATE_NET, filters=(high,)))
    tables = (table(OUT4, subnets=(PUBLIC_NET, PRIVATE_NET)),)
    filters = (group(), group(rule(443, WORLD4), name=LB_SG), *halves)
    both = front(subnets=(PUBLIC_NET, PRIVATE_NET))
    found = live(find_exposures(world(both, filters=filters, subnets=subnets, route_tables=tables)))
    assert [(item.via, item.breadth) for item in found] == [("front", "internet")]
