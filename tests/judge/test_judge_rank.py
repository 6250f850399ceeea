"""Fingerprints, scores and words: the parts of a finding, worked out by hand."""

from hashlib import sha256

import pytest
from cases import a_case, an_asset, an_exposure, judged, nothing_came, of_rule, seen
from shipped_rules import shipped

from exposure_audit.judge import text, words
from exposure_audit.judge.fingerprint import Meaning, fingerprint
from exposure_audit.judge.rows import World
from exposure_audit.judge.score import FLOOR
from exposure_audit.model.finding import SEVERITIES
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.observation import Amplification, Verdict


def test_a_fingerprint_is_the_hash_of_its_meaning() -> None:
    meaning = Meaning(rule="r", subject="aws:1:x:instance/i", transport="tcp", port="22", kind="exposure")
    text_of_it = "3:ea1" + "1:r" + "18:aws:1:x:instance/i" + "3:tcp" + "2:22" + "8:exposure"
    assert fingerprint(meaning) == "ea1:" + sha256(text_of_it.encode()).hexdigest()[:24]


def test_no_choice_of_names_moves_a_boundary() -> None:
    assert fingerprint(Meaning(rule="a", subject="bc")) != fingerprint(Meaning(rule="ab", subject="c"))


def test_fingerprints_survive_new_addresses_and_other_rows() -> None:
    (before,) = of_rule(judged(an_exposure(), observations=(seen(),)), "redis-unauthenticated")
    moved = an_exposure(id="exp-new", address="203.0.113.9", native_id="eni-2")
    after = judged(moved, an_exposure(22), observations=(seen(address="203.0.113.9", version="8.6.0"),))
    assert [one.fingerprint for one in of_rule(after, "redis-unauthenticated")] == [before.fingerprint]


def test_fingerprints_survive_being_decided() -> None:
    (before,) = of_rule(judged(an_exposure()), "redis-unauthenticated")
    (after,) = of_rule(judged(an_exposure(), observations=(seen(),)), "redis-unauthenticated")
    assert (before.truth, after.truth) == ("unknown", "true")
    assert before.fingerprint == after.fingerprint


def test_the_worst_case_scores_a_hundred() -> None:
    prod = Inventory(assets=(an_asset(tags={"Environment": "Production"}),))
    worst = seen(version="7.0.0", access="execute", details={"keys": 12})
    (finding,) = of_rule(judged(an_exposure(), observations=(worst,), inventory=prod), "redis-unauthenticated")
    assert finding.score == 100
    assert {factor.name: factor.points for factor in finding.score_factors} == {
        "severity": 80,
        "access": 5,
        "breadth": 5,
        "path": 2,
        "verified": 3,
        "data": 1,
        "contents": 1,
        "production": 2,
        "known flaw": 1,
    }


def test_what_is_undecided_counts_a_quarter() -> None:
    # 80 critical + 5 breadth + 2 path + 1 data store = 88.
    (finding,) = of_rule(judged(an_exposure()), "redis-unauthenticated")
    assert finding.score == 22
    assert finding.score_factors[-1].points == 22 - 88


def test_score_and_severity_never_contradict_each_other() -> None:
    exposures = [
        an_exposure(port, id=f"exp-{port}", breadth=breadth)
        for port, breadth in (
            (22, "internet"),
            (6379, "wide"),
            (9200, "internet"),
            (11211, "wide"),
            (3306, "internet"),
            (50000, "internet"),
        )
    ]
    verdicts: tuple[tuple[int, Verdict], ...] = (
        (6379, "unauthenticated"),
        (9200, "auth-required"),
        (11211, "limited"),
    )
    observations = tuple(seen(port, verdict=verdict, access="read") for port, verdict in verdicts)
    found = [one for one in judged(*exposures, observations=observations).findings if one.truth == "true"]
    order = [SEVERITIES.index(one.severity) for one in found]
    assert order == sorted(order)
    assert len(set(order)) > 2
    for one in judged(*exposures, observations=observations).findings:
        assert sum(factor.points for factor in one.score_factors) == one.score
        assert one.truth == "unknown" or FLOOR[one.severity] <= one.score <= FLOOR[one.severity] + 20


@pytest.mark.parametrize(("factor", "points"), [(1.4, 1), (30.0, 3), (148.67, 5)])
def test_amplification_is_graded_by_its_factor(factor: float, points: int) -> None:
    measured = Amplification(bytes_out=10, bytes_in=int(10 * factor), packets_in=1, factor=factor)
    answer = seen(123, transport="udp", service="ntp", product="ntpd", verdict="amplifier", amplification=measured)
    (finding,) = of_rule(judged(an_exposure(123, transport="udp"), observations=(answer,)), "ntp-amplifier")
    assert {one.name: one.points for one in finding.score_factors}["amplification"] == points


def test_placeholders() -> None:
    values = {"asset": "a b", "port": "22"}
    assert text.names("{asset} on {port}, ${var.x} {\n}") == ("asset", "port")
    assert text.prose("{asset}:{port} {service}", values) == "a b:22 ?"
    assert text.command("run {asset} {port}", values) == "run 'a b' 22"
    assert text.command("run {service}", values) == ""
    assert text.terraform('name = "{asset}"', {"asset": 'x" ${file("/etc/passwd")}'}) == (
        'name = "x____file__/etc/passwd___"'
    )


def test_evidence_of_an_exposure_names_the_sources() -> None:
    exposure = an_exposure(
        20, 25, sources=("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/25", "203.0.113.128/25")
    )
    (row,) = World(a_case(exposure)).rows(frozenset({"exposure"}))
    said = "tcp 20-25 open to 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/25 and 1 more"
    assert words.evidence(row, about_service=False) == said
    but = an_exposure(22, sources=(), sources_except=("192.0.2.0/24",))
    (row,) = World(a_case(but)).rows(frozenset({"exposure"}))
    assert words.evidence(row, about_service=False) == "tcp 22 open to the internet but 192.0.2.0/24"


def test_a_range_never_enters_terraform_as_a_subtraction() -> None:
    # Nothing was asked and 6380 is a usual port of Redis: undecided for the whole range.
    (finding,) = of_rule(judged(an_exposure(6380, 6385)), "redis-unauthenticated")
    assert (finding.port, finding.fix.terraform) == (None, "")
    assert finding.title == "Undecided: Redis on 192.0.2.1:6380-6385 obeys anyone"


def test_every_shipped_rule_tells_why_and_how_to_mend_it() -> None:
    for rule in shipped().rules:
        assert len(rule.why) > 60, rule.id
        assert rule.fix.summary.endswith("."), rule.id
        if "cve" in rule.tags:
            assert "affected range" in rule.why, rule.id


def test_an_error_is_never_verified() -> None:
    for verdict in ("error", "filtered", "closed"):
        findings = judged(an_exposure(), observations=(nothing_came(6379, verdict),)).findings
        assert not any(one.verified for one in findings)
