"""Which ports of which exposures are asked, in which order, and what is left out aloud."""

from typing import Any

import pytest

from exposure_audit.errors import UsageError
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Asset, Door, Front, Interface, Inventory, PublicAddress
from exposure_audit.model.plan import ProbeCard, Scope
from exposure_audit.plan.build import Options, plan_exposures, plan_targets
from exposure_audit.plan.consent import Consent
from exposure_audit.plan.scope import owned, within
from exposure_audit.plan.targets import parse_target

CARDS = (
    ProbeCard(name="redis", service="redis", transport="tcp", ports=(6379, 26379)),
    ProbeCard(name="elasticsearch", service="elasticsearch", transport="tcp", ports=(9200,)),
    ProbeCard(name="ntp", service="ntp", transport="udp", ports=(123,)),
    ProbeCard(name="memcached-udp", service="memcached", transport="udp", ports=(11211,)),
)
INSTANCE = "aws:111111111111:eu-west-1:instance/i-1"
ASSET = Asset(
    id=INSTANCE, kind="instance", provider="aws", account="111111111111", region="eu-west-1", native_id="i-1"
)


def exposure(**changes: Any) -> Exposure:
    fields: dict[str, Any] = {
        "id": "exp-1",
        "asset": INSTANCE,
        "native_id": "i-1",
        "address": "192.0.2.10",
        "family": "ipv4",
        "transport": "tcp",
        "port_from": 6379,
        "port_to": 6379,
        "sources": ("0.0.0.0/0",),
        "breadth": "internet",
    }
    return Exposure(**(fields | changes))


def asked(*exposures: Exposure, options: Options | None = None, assets: tuple[Asset, ...] = (ASSET,)) -> Any:
    return plan_exposures(exposures, Inventory(assets=assets), CARDS, options or Options())


def test_one_port_is_asked_by_its_own_probe_first_then_by_all_others() -> None:
    plan = asked(exposure())
    assert [(task.address, task.port, task.transport) for task in plan.tasks] == [("192.0.2.10", 6379, "tcp")]
    assert plan.tasks[0].probes == ("redis", "elasticsearch")
    assert plan.tasks[0].exposure == "exp-1"


def test_a_port_that_no_probe_knows_is_asked_when_it_was_opened_on_purpose() -> None:
    plan = asked(exposure(port_from=7777, port_to=7779))
    assert [task.port for task in plan.tasks] == [7777, 7778, 7779]
    assert plan.exclusions == ()


def test_of_a_wide_range_the_known_ports_are_asked_and_the_rest_is_said() -> None:
    plan = asked(exposure(port_from=0, port_to=65535))
    assert [task.port for task in plan.tasks] == [6379, 9200, 26379]
    (left,) = plan.exclusions
    assert "65532 of its 65535 ports are not asked" in left.reason
    assert "--all-ports" in left.reason


def test_all_ports_means_all_of_them_for_tcp() -> None:
    plan = asked(exposure(port_from=1, port_to=65535), options=Options(all_ports=True))
    assert len(plan.tasks) == 65535
    assert plan.exclusions == ()


def test_a_known_udp_port_is_asked_only_its_own_questions() -> None:
    plan = asked(exposure(transport="udp", port_from=123, port_to=123))
    assert plan.tasks[0].probes == ("ntp",)


def test_dormant_rules_are_never_planned_and_icmp_is_said() -> None:
    plan = asked(exposure(dormant=True), exposure(id="exp-2", transport="icmp", port_from=None, port_to=None))
    assert plan.tasks == ()
    assert [(one.exposure, one.reason) for one in plan.exclusions] == [("exp-2", "no probe speaks icmp")]


def test_the_same_port_seen_through_a_front_and_behind_it_is_asked_once() -> None:
    name = "lb-1.elb.example.com"
    front = exposure(id="exp-front", address=name, via="front")
    behind = exposure(id="exp-behind", address=name, via="behind-front")
    for order in ((front, behind), (behind, front)):
        plan = asked(*order)
        assert [task.exposure for task in plan.tasks] == ["exp-front"]
        assert plan.tasks[0].server_name == name


@pytest.mark.parametrize(
    ("exclude", "reason"),
    [
        ("192.0.2.0/24", "--exclude"),
        ("*instance/i-1", "--exclude *instance/i-1"),
    ],
)
def test_what_the_user_excludes_is_not_asked_and_is_said(exclude: str, reason: str) -> None:
    plan = asked(exposure(), options=Options(consent=Consent.of((exclude,))))
    assert plan.tasks == ()
    assert reason in plan.exclusions[0].reason


def test_an_excluded_port_and_a_refusing_tag() -> None:
    plan = asked(exposure(), options=Options(consent=Consent.of((":6379",))))
    assert plan.tasks == ()
    assert "excluded" in plan.exclusions[0].reason
    tagged = Asset(
        id=INSTANCE,
        kind="instance",
        provider="aws",
        account="1",
        region="r",
        native_id="i-1",
        tags={"exposure-audit:probe": "deny"},
    )
    plan = asked(exposure(), assets=(tagged,))
    assert plan.tasks == ()
    assert "deny" in plan.exclusions[0].reason


def test_a_bad_port_to_exclude_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a port"):
        Consent.of((":http",))


def test_order_of_exposures_never_changes_the_plan() -> None:
    many = [exposure(id=f"exp-{n}", address=f"192.0.2.{n}", port_from=n, port_to=n) for n in range(1, 9)]
    assert asked(*many) == asked(*reversed(many))


def test_owned_is_what_the_inventory_uses_in_public() -> None:
    inventory = Inventory(
        interfaces=(
            Interface(
                id="aws:1:r:network-interface/eni-1",
                native_id="eni-1",
                asset=INSTANCE,
                network="n",
                subnet="s",
                addresses=(PublicAddress(address="192.0.2.10", family="ipv4"),),
                private_addresses=("10.0.0.4",),
            ),
        ),
        fronts=(
            Front(id="f1", native_id="f1", kind="application", dns_name="lb.example.com", public=True),
            Front(id="f2", native_id="f2", kind="application", dns_name="internal.example.com", public=False),
        ),
        doors=(
            Door(id="d1", native_id="d1", service="mysql", dns_name="db.example.com", port=3306, public=None),
            Door(id="d2", native_id="d2", service="mysql", dns_name="p.example.com", port=3306, public=False),
        ),
    )
    assert owned(inventory) == Scope(targets=("192.0.2.10",), names=("db.example.com", "lb.example.com"))


def test_a_plan_is_cut_to_what_the_snapshot_still_holds() -> None:
    planned = Scope(targets=("192.0.2.0/30", "198.51.100.7"), names=("a.example.com", "b.example.com"))
    today = Scope(targets=("192.0.2.2", "203.0.113.1"), names=("b.example.com",), allow_private=True)
    assert within(planned, today) == Scope(targets=("192.0.2.2/32",), names=("b.example.com",))


def test_targets_are_asked_every_known_port_unless_they_name_one() -> None:
    plan = plan_targets([parse_target("192.0.2.1"), parse_target("db.example.com:7000")], CARDS, Options())
    assert [(task.address, task.port, task.transport) for task in plan.tasks] == [
        ("192.0.2.1", 123, "udp"),
        ("192.0.2.1", 6379, "tcp"),
        ("192.0.2.1", 9200, "tcp"),
        ("192.0.2.1", 11211, "udp"),
        ("192.0.2.1", 26379, "tcp"),
        ("db.example.com", 7000, "tcp"),
    ]
    assert plan.scope == Scope(targets=("192.0.2.1/32",), names=("db.example.com",))
    assert plan.tasks[-1].server_name == "db.example.com"


@pytest.mark.parametrize(
    ("address", "planned"),
    [("127.3.2.1", True), ("::1", True), ("192.0.2.10", False), ("lb-1.elb.example.com", False)],
)
def test_loopback_only_plans_nothing_else_and_says_that_it_was_not_looked_at(address: str, planned: bool) -> None:
    plan = asked(exposure(address=address), options=Options(loopback_only=True))
    assert bool(plan.tasks) is planned
    assert [one.incomplete for one in plan.exclusions] == ([] if planned else [True])


def test_a_delegated_prefix_is_not_asked_address_by_address_and_that_is_said() -> None:
    plan = asked(exposure(address="2001:db8:1:2:3::/80", family="ipv6"))
    assert plan.tasks == ()
    assert [(one.incomplete, "delegated prefix" in one.reason) for one in plan.exclusions] == [(True, True)]
