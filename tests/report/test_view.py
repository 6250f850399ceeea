"""The view: joined, grouped, counted and in words."""

import msgspec
import pytest

from exposure_audit.model.coverage import gaps
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Asset, Coverage, Inventory
from exposure_audit.model.observation import Amplification, Observation
from exposure_audit.model.report import Decision, Report, Scan, Tool
from exposure_audit.report import words
from exposure_audit.report.summary import summarise
from exposure_audit.report.view import build, shorten


def exposure(**more: object) -> Exposure:
    plain: dict[str, object] = {
        "id": "exp-1",
        "asset": "aws:1:eu:instance/i-1",
        "native_id": "i-1",
        "address": "192.0.2.1",
        "family": "ipv4",
        "transport": "tcp",
        "port_from": 6379,
        "port_to": 6379,
        "breadth": "internet",
    }
    return msgspec.convert(plain | more, Exposure)


def seen(verdict: str, port: int = 6379, **more: object) -> Observation:
    plain: dict[str, object] = {"address": "192.0.2.1", "port": port, "transport": "tcp", "verdict": verdict}
    return msgspec.convert(plain | more, Observation)


def report(
    exposures: tuple[Exposure, ...] = (),
    observations: tuple[Observation, ...] = (),
    *,
    coverage: tuple[Coverage, ...] = (),
    vantage: str = "local",
) -> Report:
    return Report(
        tool=Tool(version="1"),
        scan=Scan(id="s", started_at="a", finished_at="b", vantage=vantage, complete=True),
        summary=summarise(Inventory(coverage=coverage), exposures, observations, (), ()),
        coverage=coverage,
        assets=(),
        exposures=exposures,
        observations=observations,
        findings=(),
        checklist=(),
        gate=Decision(passed=True, complete=True, fail_on="high"),
    )


def test_the_summary_of_the_scenario_is_what_was_counted_by_hand(scenario: Report) -> None:
    inventory = Inventory(assets=scenario.assets, coverage=scenario.coverage)
    made = summarise(inventory, scenario.exposures, scenario.observations, scenario.findings, scenario.checklist)
    assert made == scenario.summary
    assert (made.assets, made.exposures, made.exposed_assets, made.dormant) == (10, 10, 9, 1)
    # The locked SSH finding is not counted; the undecided database is counted apart.
    assert made.findings == {"critical": 3, "high": 1, "medium": 1, "low": 1, "info": 0}
    assert made.unknown == 1
    assert made.observations["unauthenticated"] == 3
    assert made.checklist == {"attested": 1, "fail": 5, "not-applicable": 1, "pass": 2, "unknown": 2}
    # Four denied target healths, a denied route table, a throttled RDS call; neither the excluded region nor the
    # endpoint that does not exist.
    assert made.coverage_gaps == 6 == len(gaps(scenario.coverage))


def test_subjects_come_in_the_order_of_their_worst_finding_then_of_what_they_show(scenario: Report) -> None:
    found = [(one.label, one.severity, one.level) for one in build(scenario).subjects]
    assert found == [
        ("cache-1", "critical", "open"),
        ("search-nlb", "critical", "open"),
        ("analytics-1", "critical", "open"),
        ("sessions-2", "high", "open"),
        ("search-1", "", "open"),
        # The finding of the bastion is locked, that of the database undecided.
        ("bastion", "", "unknown"),
        ("orders-db", "", "unknown"),
        ("shop", "", "unknown"),
        ("app-2", "", "unknown"),
    ]


def test_what_was_seen_at_the_front_is_seen_behind_it(scenario: Report) -> None:
    behind = next(one for one in build(scenario).subjects if one.label == "search-1").ways[0]
    assert behind.answers[0].word == "answers anyone, can be changed"
    assert behind.notes == ("through the load balancer search-nlb at port 9200",)
    assert [step.gate for step in behind.steps] == ["front", "listener", "target", "security group"]


def test_the_same_call_in_many_places_is_one_line(scenario: Report) -> None:
    first, *rest = build(scenario).gaps
    assert (first.what, first.status, first.count) == ("elbv2.describe_target_health", "denied", 4)
    assert first.places == "ap-southeast-2, eu-central-1, eu-west-1 and 1 more"
    assert first.unknown == "target group"
    assert [(gap.what, gap.status) for gap in rest] == [
        ("ec2.describe_route_tables", "denied"),
        ("rds.describe_db_clusters", "throttled"),
        ("what is reachable", "could not be asked"),
        ("a reachable range", "asked in part"),
    ]


def test_accounts_are_named_when_there_are_several() -> None:
    rows = tuple(
        Coverage(provider="aws", account=account, region="eu", call="c", status="denied") for account in ("1", "2")
    )
    assert build(report(coverage=rows)).gaps[0].places == "1 eu, 2 eu"


@pytest.mark.parametrize(
    ("verdicts", "level"),
    [
        (["unauthenticated", "closed"], "open"),
        (["setup"], "open"),
        (["amplifier"], "open"),
        (["limited"], "open"),
        (["error", "auth-required"], "unknown"),
        (["unidentified"], "unknown"),
        (["auth-required", "closed"], "guarded"),
        (["blocked"], "guarded"),
        (["public-info"], "guarded"),
        (["closed", "filtered"], "silent"),
        ([], "unknown"),
    ],
)
def test_a_way_is_as_bad_as_its_worst_answer(verdicts: list[str], level: str) -> None:
    answers = tuple(seen(verdict, port=7000 + n) for n, verdict in enumerate(verdicts))
    way = exposure(port_from=7000, port_to=7000 + max(0, len(verdicts) - 1))
    assert build(report((way,), answers)).subjects[0].level == level


def test_a_range_of_which_a_part_was_not_asked_is_not_known_to_be_silent() -> None:
    view = build(report((exposure(port_from=1, port_to=65535),), (seen("closed"), seen("auth-required", 22))))
    way = view.subjects[0].ways[0]
    assert way.level == "unknown"
    assert way.notes == ("65,533 of its 65,535 ports were not asked",)


def test_what_nobody_asked_says_why() -> None:
    assert build(report((exposure(),))).subjects[0].ways[0].notes == ("not asked",)
    unprobed = build(report((exposure(),), vantage="none")).subjects[0].ways[0]
    assert unprobed.notes == ("nothing was probed in this run",)
    icmp = build(report((exposure(transport="icmp", port_from=None, port_to=None),))).subjects[0].ways[0]
    assert icmp.where == "192.0.2.1 icmp"
    assert icmp.notes == ("not asked: no probe speaks it",)


def test_plain_targets_have_no_path_and_are_grouped_by_address() -> None:
    view = build(report((), (seen("auth-required"), seen("unauthenticated", 9000), seen("closed", 22))))
    (subject,) = view.subjects
    assert (subject.label, subject.kind, subject.level) == ("192.0.2.1", "target", "open")
    assert [answer.verdict for answer in subject.ways[0].answers] == ["unauthenticated", "auth-required", "closed"]


def test_what_was_not_asked_is_listed_as_not_looked_at() -> None:
    ways = (
        exposure(),
        exposure(id="exp-2", port_from=1, port_to=9),
        exposure(id="exp-3", transport="icmp", port_from=None),
    )
    gaps_ = build(report(ways, (seen("closed", 2),))).gaps
    assert [(gap.what, gap.status, gap.places, gap.detail) for gap in gaps_] == [
        ("a reachable range", "asked in part", "192.0.2.1:1-9/tcp", ""),
        ("what is reachable", "not asked", "192.0.2.1:6379/tcp", ""),
        ("what is reachable", "not asked", "192.0.2.1 icmp", "no probe speaks it"),
    ]


def path(*names: str) -> tuple[Hop, ...]:
    return tuple(Hop(gate="gate", native_id=name) for name in names)


def test_ways_that_begin_alike_are_drawn_together() -> None:
    ways = (
        exposure(id="exp-1", port_from=1, port_to=1, path=path("igw", "acl", "acl", "sg-1")),
        exposure(id="exp-2", port_from=2, port_to=2, path=path("igw", "acl", "sg-2")),
        exposure(id="exp-3", port_from=3, port_to=3, path=path("igw", "other", "sg-1")),
        exposure(id="exp-4", port_from=4, port_to=4, path=path("igw", "other", "sg-1")),
        exposure(id="exp-5", port_from=5, port_to=5, path=path("igw", "acl", "sg-1"), family="ipv6"),
    )
    drawn = [
        (
            [step.name for step in bundle.steps],
            [([step.name for step in one.steps], one.way.id) for one in bundle.branches],
        )
        for bundle in build(report(ways)).subjects[0].bundles
    ]
    assert drawn == [
        (["igw", "acl"], [(["sg-1"], "exp-1"), (["sg-2"], "exp-2")]),
        (["igw", "other", "sg-1"], [([], "exp-3"), ([], "exp-4")]),
        (["igw", "acl", "sg-1"], [([], "exp-5")]),
    ]


def test_dormant_rules_are_apart_and_never_a_way_in(scenario: Report) -> None:
    view = build(scenario)
    assert [(way.where, way.who) for way in view.dormant] == [("tcp 0-65535", "anyone on the internet")]
    assert "old-debug" not in {one.label for one in view.subjects}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sources_except": ()}, "anyone on the internet"),
        ({"sources_except": (), "family": "ipv6"}, "anyone on the internet over IPv6"),
        ({"sources_except": ("203.0.113.0/24",)}, "anyone on the internet but 203.0.113.0/24"),
        ({"breadth": "narrow", "sources": ("203.0.113.7/32",)}, "203.0.113.7/32"),
        ({"breadth": "narrow", "sources": ("203.0.113.0/24",)}, "203.0.113.0/24 (256 addresses)"),
        # Public in 0.0.0.0/1: 2^31 without 0/8, 10/8, 127/8, 100.64/10: 2,092,957,696. Public in all: 2^32 without
        # those, 169.254/16, 172.16/12, 192.0.0/24, 192.168/16, 198.18/15, 224/3: 3,702,259,456. 56.53 %.
        (
            {"breadth": "wide", "sources": ("0.0.0.0/1",)},
            "0.0.0.0/1 (2,147,483,648 addresses, 56.5 % of the internet)",
        ),
        ({"breadth": "narrow", "sources": ()}, "sources that could not be read"),
        ({"breadth": "narrow", "sources": ("no address",)}, "no address"),
        ({"breadth": "narrow", "sources": ("2001:db8::/32",), "family": "ipv6"}, "2001:db8::/32"),
        (
            {"breadth": "narrow", "sources": tuple(f"203.0.113.{n}" for n in range(5))},
            "203.0.113.0, 203.0.113.1, 203.0.113.2 and 2 more (5 addresses)",
        ),
        ({"breadth": "wide", "sources_except": ("192.0.2.0/24",)}, "the internet but 192.0.2.0/24"),
    ],
)
def test_who_gets_in(fields: dict[str, object], said: str) -> None:
    assert words.who(exposure(**fields)) == said


def test_notes_say_what_the_path_does_not() -> None:
    hop = Hop(gate="middlebox", native_id="fw-1", text="fw-1 decides", truth="conditional")
    found = words.notes(exposure(truth="conditional", path=(hop,), one_way=True, crafted_source_port=True))
    assert found == (
        "not certain: a middlebox decides",
        "fw-1 decides",
        "packets get in, answers do not get out",
        "only for clients that choose an unusual source port",
    )


def test_an_amplifier_says_how_much_it_sends() -> None:
    measured = Amplification(bytes_out=12, bytes_in=360, packets_in=1, factor=30.0)
    one = msgspec.structs.replace(seen("amplifier"), amplification=measured)
    assert words.verdict(one) == "multiplies traffic 30 times (12 bytes out, 360 in)"


@pytest.mark.parametrize(
    ("native", "short"),
    [
        ("i-1", "i-1"),
        ("arn:aws:elasticloadbalancing:eu:1:loadbalancer/net/search/5c1d", "search"),
        ("arn:aws:elasticloadbalancing:eu:1:listener/app/shop/5c1d/77aa", "shop"),
        ("arn:aws:elasticloadbalancing:eu:1:targetgroup/nodes/5c1d", "nodes"),
        ("arn:aws:rds:eu:1:db:orders", "db:orders"),
    ],
)
def test_arns_are_shortened_to_the_name_people_know(native: str, short: str) -> None:
    assert words.short_id(native) == short


@pytest.mark.parametrize(
    ("address", "low", "high", "transport", "said"),
    [
        ("192.0.2.1", 80, 80, "tcp", "192.0.2.1:80/tcp"),
        ("192.0.2.1", 80, None, "tcp", "192.0.2.1:80/tcp"),
        ("2001:db8::1", 80, 90, "udp", "[2001:db8::1]:80-90/udp"),
        ("192.0.2.1", None, None, "47", "192.0.2.1 protocol 47"),
        ("", None, None, "icmp", "icmp"),
        ("", 0, 65535, "tcp", "tcp 0-65535"),
    ],
)
def test_spots(address: str, low: int | None, high: int | None, transport: str, said: str) -> None:
    assert words.spot(address, low, high, transport) == said


def test_short_fingerprints_are_unique_and_long_enough_to_find_again() -> None:
    same = "ea1:" + "a" * 20
    assert shorten([f"{same}b0", f"{same}c0", "ea1:1234567890ab"]) == {
        f"{same}b0": f"{same}b",
        f"{same}c0": f"{same}c",
        "ea1:1234567890ab": "ea1:12345678",
    }
    assert shorten([]) == {}
    # One fingerprint that is the beginning of another stays whole.
    assert shorten(["ea1:0123456789", "ea1:01234567890"])["ea1:0123456789"] == "ea1:0123456789"


def test_an_asset_without_a_name_or_without_an_entry_is_still_called_something() -> None:
    key = "aws:1:eu:instance/i-1"
    nameless = Asset(id=key, kind="instance", provider="aws", account="1", region="eu", native_id="i-1")
    listed = msgspec.structs.replace(report((exposure(),)), assets=(nameless,))
    assert build(listed).subjects[0].label == "i-1"
    assert build(report((exposure(),))).subjects[0].label == "i-1"
    assert build(report((exposure(asset="", native_id=""),))).subjects[0].label == "192.0.2.1"
