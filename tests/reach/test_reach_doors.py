"""Managed databases: the flag alone opens nothing."""

from typing import Any

from reach_estate import (
    HERE,
    PRIVATE_NET,
    PUBLIC_NET,
    SG,
    VPC,
    WORLD4,
    acl,
    coverage,
    entry,
    estate,
    group,
    live,
    rule,
)

from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Door
from exposure_audit.reach.run import find_exposures

DB = f"{HERE}:db-instance/orders"


def door(**changes: Any) -> Door:
    fields: dict[str, Any] = {
        "id": DB,
        "native_id": "orders",
        "service": "mysql",
        "dns_name": "orders.example",
        "port": 3306,
        "public": True,
        "network": VPC,
        "subnets": (PUBLIC_NET,),
        "filters": (SG,),
    }
    return Door(**(fields | changes))


def reached(door: Door, *rules: Any, **changes: Any) -> list[Exposure]:
    rules = rules or (rule(3306, WORLD4),)
    return live(find_exposures(estate(*rules, doors=(door,), interfaces=(), **changes)))


def test_a_public_database_in_a_public_subnet_with_an_open_group() -> None:
    (found,) = reached(door())
    assert (found.asset, found.native_id, found.via, found.address) == (DB, "orders", "service", "orders.example")
    assert (found.port_from, found.port_to, found.breadth, found.truth) == (3306, 3306, "internet", "true")
    assert found.path[0].gate == "door"
    assert found.path[-1].gate == "security-group"


def test_each_gate_closes_it() -> None:
    assert reached(door(public=False)) == []
    assert reached(door(live=False)) == []
    assert reached(door(subnets=(PRIVATE_NET,))) == []
    assert reached(door(), rule(5432, WORLD4)) == []
    assert reached(door(), rule(3306, "10.0.0.0/8")) == []
    shut = (group(rule(3306, WORLD4)), acl(ingress=(entry(90, 3306, allow=False, protocol=6), entry(100))))
    assert reached(door(), filters=shut) == []


def test_the_group_narrows_the_sources() -> None:
    (found,) = reached(door(), rule((3000, 4000), "203.0.113.0/24"))
    assert (found.port_from, found.port_to, found.sources) == (3306, 3306, ("203.0.113.0/24",))


def test_an_unread_flag_is_unknown() -> None:
    (found,) = reached(door(public=None), coverage=(coverage(), coverage("denied", "door", call="rds.x")))
    assert found.truth == "unknown"


def test_in_several_possible_subnets_only_what_all_allow_is_sure() -> None:
    (found,) = reached(door(subnets=(PRIVATE_NET, PUBLIC_NET)))
    assert (found.truth, found.breadth) == ("unknown", "internet")
    (found,) = reached(door(subnets=(PUBLIC_NET, PUBLIC_NET)))
    assert found.truth == "true"


def test_without_a_known_subnet_everything_depends_on_it() -> None:
    assert [item.truth for item in reached(door(subnets=()))] == ["unknown"]


def test_without_a_readable_group_the_port_may_be_open() -> None:
    (found,) = reached(door(), filters=(acl(),))
    assert (found.truth, found.port_from) == ("unknown", 3306)
