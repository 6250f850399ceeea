"""From a case to findings: what is true, what is unknown, and what each finding says."""

import msgspec
import pytest
from cases import ASSET, GROUP, NOW, a_case, an_asset, an_exposure, judged, nothing_came, of_rule, seen
from shipped_rules import by_id, shipped

from exposure_audit.judge.run import Case, judge
from exposure_audit.model import wire
from exposure_audit.model.exposure import Hop
from exposure_audit.model.finding import Finding
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.observation import Amplification
from exposure_audit.model.plan import Exclusion


def test_an_open_redis_is_a_verified_finding_with_all_its_fields() -> None:
    (finding,) = of_rule(
        judged(an_exposure(), observations=(seen(exposure="exp-6379", access="write", evidence="HELLO: redis"),)),
        "redis-unauthenticated",
    )
    assert finding.title == "Redis on 192.0.2.1:6379 obeys anyone"
    assert (finding.severity, finding.truth, finding.verified) == ("critical", "true", True)
    assert (finding.asset, finding.exposure, finding.address) == (ASSET, "exp-6379", "192.0.2.1")
    assert (finding.port, finding.transport, finding.evidence) == (6379, "tcp", "HELLO: redis")
    assert finding.path == (GROUP,)
    assert finding.why == by_id("redis-unauthenticated").why
    assert finding.fix.commands == (
        "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1 --security-group-rule-ids sgr-1",
    )
    assert 'security_group_id            = "sg-1"' in finding.fix.terraform
    assert "from_port                    = 6379" in finding.fix.terraform
    assert finding.references == by_id("redis-unauthenticated").references
    assert (finding.checklist, finding.first_seen, finding.status) == ("no-open-stores", NOW, "new")


def test_a_locked_redis_is_not_open_but_too_public() -> None:
    judgement = judged(an_exposure(), observations=(seen(verdict="auth-required", version="", tls=True),))
    assert of_rule(judgement, "redis-unauthenticated") == ()
    assert [one.truth for one in of_rule(judgement, "store-open-to-internet")] == ["true"]
    assert of_rule(judgement, "store-without-tls") == ()


def test_a_version_that_is_not_told_leaves_a_flaw_undecided() -> None:
    judgement = judged(an_exposure(), observations=(seen(verdict="auth-required", version=""),))
    (finding,) = of_rule(judgement, "redis-cve-2025-21605")
    assert finding.truth == "unknown"
    assert finding.why.endswith("Undecided: the answer does not tell what the rule needs.")


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (None, "it was not asked (no probe was sent there)."),
        (nothing_came(6379, "filtered"), "no answer came within the budget."),
        (nothing_came(6379, "error", "no route to host"), "asking failed on our side (no route to host)."),
        (
            seen(verdict="unidentified", reason="max number of clients reached"),
            "it was recognised, but did not say whether it asks for credentials (max number of clients reached).",
        ),
    ],
)
def test_what_could_not_be_looked_at_is_unknown(observation: object, reason: str) -> None:
    judgement = judged(an_exposure(), observations=(observation,) if observation else ())
    (finding,) = of_rule(judgement, "redis-unauthenticated")
    assert (finding.truth, finding.verified) == ("unknown", False)
    assert finding.title.startswith("Undecided: Redis on 192.0.2.1:6379")
    assert finding.why.endswith(f"Undecided: {reason}")


def test_a_closed_port_settles_it() -> None:
    judgement = judged(an_exposure(), observations=(nothing_came(6379, "closed"),))
    assert {one.rule for one in judgement.findings} == {"data-port-open-to-internet"}


def test_an_excluded_exposure_says_why_it_was_not_asked() -> None:
    exclusion = Exclusion(
        address="192.0.2.1",
        transport="tcp",
        port_from=6379,
        port_to=6379,
        reason="excluded by --exclude",
        exposure="exp-6379",
    )
    (finding,) = of_rule(judged(an_exposure(), exclusions=(exclusion,)), "redis-unauthenticated")
    assert finding.why.endswith("Undecided: it was not asked (excluded by --exclude).")


def test_without_probing_each_usual_port_is_one_unknown_a_service() -> None:
    judgement = judged(an_exposure(6379), an_exposure(443), probed=False)
    unknown = [one.rule for one in judgement.findings if one.truth == "unknown"]
    assert unknown == ["redis-unauthenticated"]


def test_a_wide_range_of_which_the_known_ports_were_asked_leaves_no_unknown_service() -> None:
    wide = an_exposure(6000, 7000)
    rest = Exclusion(
        address="192.0.2.1", transport="tcp", port_from=6000, port_to=7000, reason="wide range", exposure="exp-6000"
    )
    asked = tuple(nothing_came(port, "closed") for port in (6379, 6380))
    judgement = judged(wide, exclusions=(rest,), observations=asked)
    assert [one.rule for one in judgement.findings] == ["wide-port-range-open"]
    half = judged(wide, exclusions=(rest,), observations=asked[:1])
    assert ("redis-unauthenticated", "unknown") in [(one.rule, one.truth) for one in half.findings]


def test_without_usual_ports_every_service_is_possible_everywhere() -> None:
    judgement = judged(an_exposure(443), usual_ports={})
    unknown = {one.rule for one in judgement.findings if one.truth == "unknown"}
    assert {"redis-unauthenticated", "clickhouse-unauthenticated", "elasticsearch-unauthenticated"} <= unknown


def test_an_unread_gate_makes_exposure_rules_unknown_and_names_itself() -> None:
    gate = Hop(gate="network-acl", native_id="acl-1", text="describe_network_acls was denied", truth="unknown")
    judgement = judged(an_exposure(22, truth="unknown", path=(GROUP, gate)))
    (finding,) = of_rule(judgement, "ssh-open-to-internet")
    assert finding.truth == "unknown"
    assert finding.why.endswith("Undecided: network-acl acl-1 could not be read: describe_network_acls was denied.")


def test_an_answer_proves_a_path_that_could_not_be_read() -> None:
    judgement = judged(an_exposure(truth="unknown"), observations=(seen(),))
    (finding,) = of_rule(judgement, "redis-unauthenticated")
    assert (finding.truth, finding.verified) == ("true", True)


def test_a_middlebox_is_information_of_its_own() -> None:
    judgement = judged(an_exposure(443, truth="conditional"))
    assert [(one.rule, one.truth) for one in judgement.findings] == [("middlebox-decides", "true")]


def test_an_asset_that_was_not_read_is_what_its_id_says() -> None:
    assert judged(an_exposure(443), inventory=Inventory()).findings == ()
    database = "aws:123456789012:eu-west-1:db-instance/orders"
    (finding,) = judged(an_exposure(443, asset=database, native_id="orders"), inventory=Inventory()).findings
    assert (finding.rule, finding.truth, finding.asset) == ("database-public", "true", database)
    assert "--region eu-west-1 --db-instance-identifier orders" in finding.fix.commands[0]


def test_an_asset_without_any_identity_leaves_its_facts_unknown() -> None:
    judgement = judged(an_exposure(443, asset=""), inventory=Inventory())
    (finding,) = of_rule(judgement, "database-public")
    assert finding.truth == "unknown"
    assert finding.why.endswith("Undecided: the asset could not be read.")


def test_addresses_of_one_asset_are_one_finding() -> None:
    second = an_exposure(id="exp-2", address="192.0.2.2")
    observations = (seen(), seen(address="192.0.2.2"))
    (finding,) = of_rule(judged(an_exposure(), second, observations=observations), "redis-unauthenticated")
    assert finding.address == "192.0.2.1"
    assert finding.why.endswith("The same holds at 1 more address.")


def test_the_proven_address_is_shown_whatever_the_order() -> None:
    first, second = an_exposure(), an_exposure(id="exp-2", address="192.0.2.2")
    observations = (nothing_came(6379, "filtered"), seen(address="192.0.2.2"))
    for exposures in ((first, second), (second, first)):
        (finding,) = of_rule(judged(*exposures, observations=observations), "redis-unauthenticated")
        assert (finding.truth, finding.address) == ("true", "192.0.2.2")
        assert "more address" not in finding.why


def test_ports_of_a_range_are_findings_of_their_own() -> None:
    wide = an_exposure(6000, 7000)
    observations = (seen(6379), seen(6380))
    found = of_rule(judged(wide, observations=observations), "redis-unauthenticated")
    assert sorted(one.port or 0 for one in found) == [6379, 6380]


def test_ssh_is_the_same_finding_by_port_and_by_range() -> None:
    (by_port,) = of_rule(judged(an_exposure(22)), "ssh-open-to-internet")
    (by_range,) = of_rule(judged(an_exposure(20, 25)), "ssh-open-to-internet")
    assert by_port.fingerprint == by_range.fingerprint
    assert by_range.port == 22


def test_an_answer_at_a_load_balancer_is_one_finding_of_the_load_balancer() -> None:
    front = an_exposure(9200, id="exp-f", asset="aws:1:r:load-balancer/lb", address="lb.example", via="front")
    behind = an_exposure(
        9200, id="exp-b", address="lb.example", via="behind-front", front=front.asset, target_port=9200
    )
    answer = seen(9200, address="lb.example", service="elasticsearch", product="OpenSearch", exposure="exp-f")
    judgement = judged(front, behind, observations=(answer,))
    assert [one.asset for one in of_rule(judgement, "elasticsearch-unauthenticated")] == [front.asset]
    (passed_on,) = of_rule(judgement, "load-balancer-to-data-port")
    assert (passed_on.asset, passed_on.truth) == (ASSET, "true")
    assert passed_on.title == "A load balancer passes the internet on to data port 9200 of cache"


def test_a_name_that_was_asked_is_joined_by_the_exposure() -> None:
    named = an_exposure(5432, id="exp-n", address="db.example")
    answer = seen(5432, address="198.51.100.7", exposure="exp-n")
    (finding,) = of_rule(judged(named, observations=(answer,)), "redis-unauthenticated")
    assert (finding.asset, finding.address) == (ASSET, "198.51.100.7")


def test_a_target_needs_no_inventory() -> None:
    judgement = judge(Case(observations=(seen(),), probed=True, now=NOW), shipped())
    (finding,) = of_rule(judgement, "redis-unauthenticated")
    assert (finding.asset, finding.address, finding.port) == ("", "192.0.2.1", 6379)
    assert finding.fix.commands == ()


def test_udp_and_tcp_of_one_port_are_apart() -> None:
    measured = Amplification(bytes_out=15, bytes_in=2230, packets_in=2, factor=148.67)
    udp = an_exposure(11211, id="exp-u", transport="udp")
    answer = seen(11211, transport="udp", service="memcached", verdict="amplifier", amplification=measured)
    judgement = judged(udp, an_exposure(11211), observations=(answer,))
    (finding,) = of_rule(judgement, "memcached-udp-amplifier")
    assert finding.evidence == "15 bytes out, 2230 bytes in: 148.67 times"
    assert [one.truth for one in of_rule(judgement, "memcached-unauthenticated")] == ["unknown"]


def test_dormant_rules_are_low_and_never_an_exposure() -> None:
    group = "aws:123456789012:eu-west-1:security-group/sg-1"
    judgement = judged(an_exposure(22, dormant=True, asset=group, native_id="sg-1"))
    (finding,) = judgement.findings
    assert (finding.rule, finding.severity, finding.asset) == ("dormant-world-open", "low", group)
    assert finding.title == "A rule of sg-1 is open to the world, and nothing is behind it yet"
    assert "--region eu-west-1 --group-id sg-1" in finding.fix.commands[0]


def test_icmp_is_not_asked_and_not_unknown() -> None:
    assert judged(an_exposure(None, transport="icmp")).findings == ()


def test_a_public_switch_counts_only_while_nothing_gets_in() -> None:
    name = "aws:123456789012:eu-west-1:db-instance/orders"
    database = an_asset(name, kind="db-instance", details={"publicly_accessible": "true"})
    inventory = Inventory(assets=(database,))
    shut = judged(inventory=inventory)
    assert [one.rule for one in shut.findings] == ["database-public-switch"]
    reached = judged(an_exposure(5432, asset=name), inventory=inventory)
    assert of_rule(reached, "database-public-switch") == ()
    (public,) = of_rule(reached, "database-public")
    assert public.fix.commands[0].endswith("--db-instance-identifier orders --no-publicly-accessible")


def test_ipv6_alone_is_a_finding_ipv4_too_is_not() -> None:
    six = an_exposure(4444, id="exp-6", family="ipv6", address="2001:db8::1", sources=("::/0",))
    assert [one.rule for one in judged(six).findings] == ["ipv6-only-exposure"]
    assert judged(six, an_exposure(4444)).findings == ()
    (unsure,) = of_rule(judged(six, an_exposure(4444, truth="unknown")), "ipv6-only-exposure")
    assert unsure.truth == "unknown"


def test_hostile_names_stay_one_word_of_a_command() -> None:
    name = "aws:123456789012:eu-west-1:db-instance/x"
    hostile = an_asset(name, kind="db-instance", native_id="x'; rm -rf / #${y}\n")
    judgement = judged(an_exposure(5432, asset=name), inventory=Inventory(assets=(hostile,)))
    (finding,) = of_rule(judgement, "database-public")
    assert "--db-instance-identifier 'x'\"'\"'; rm -rf / #${y}\n' --no" in finding.fix.commands[0]
    assert 'identifier          = "x___rm_-rf_/____y__"' in finding.fix.terraform


def test_a_name_that_looks_like_an_option_drops_the_command() -> None:
    name = "aws:123456789012:eu-west-1:db-instance/x"
    hostile = an_asset(name, kind="db-instance", native_id="--endpoint-url=http://198.51.100.1")
    judgement = judged(an_exposure(5432, asset=name), inventory=Inventory(assets=(hostile,)))
    (finding,) = of_rule(judgement, "database-public")
    assert [command.split()[1] for command in finding.fix.commands] == ["ec2"]


def test_the_same_case_gives_the_same_report_whatever_the_order() -> None:
    exposures = [an_exposure(port, id=f"exp-{port}") for port in (22, 443, 6379, 9200, 11211)]
    observations = [seen(6379), seen(9200, service="elasticsearch"), nothing_came(443, "filtered")]
    one = judge(a_case(*exposures, observations=tuple(observations)), shipped())
    other = judge(a_case(*exposures[::-1], observations=tuple(observations[::-1])), shipped())
    assert wire.encode(one) == wire.encode(other)


def test_the_order_is_the_ranking() -> None:
    observations = (seen(6379), nothing_came(9200, "filtered"))
    findings = judged(an_exposure(22), an_exposure(6379), an_exposure(9200), observations=observations).findings
    assert [one.score for one in findings] == sorted((one.score for one in findings), reverse=True)
    assert findings[0].rule == "redis-unauthenticated"
    assert msgspec.convert(msgspec.to_builtins(findings), tuple[Finding, ...]) == findings
