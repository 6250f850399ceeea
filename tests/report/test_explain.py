"""One finding, looked into."""

import io

import msgspec
import pytest

from exposure_audit.errors import UsageError
from exposure_audit.model.report import Report
from exposure_audit.report.explain import explain, show

REDIS = "ea1:5e1d0a7c93b24f6681aa0001"


@pytest.mark.parametrize("asked", [REDIS, "ea1:5e1d0a", "5e1d0a", " 5E1D0A7C ", REDIS[4:]])
def test_a_finding_is_found_by_any_beginning_that_is_its_own(scenario: Report, asked: str) -> None:
    said = explain(scenario, asked)
    assert said.found.rule == "redis-unauthenticated"
    assert said.subject
    assert said.subject.label == "cache-1"
    assert said.way
    assert said.way.answers[0].name == "Redis 7.0.15"


def test_a_beginning_of_several_names_them(scenario: Report) -> None:
    with pytest.raises(UsageError) as caught:
        explain(scenario, "5e")
    assert str(caught.value) == "'5e' begins 3 findings (say more: ea1:5e1d0a7c, ea1:5e1d0b88, ea1:5e6f7081)"


@pytest.mark.parametrize("asked", ["ea1:5e1d0a7c93b24f6681aa0009", "", "zzz"])
def test_an_unknown_one_names_those_that_come_near(scenario: Report, asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(scenario, asked)
    assert "no finding" in str(caught.value)
    assert REDIS in str(caught.value)


def test_a_report_without_findings_says_so(scenario: Report) -> None:
    with pytest.raises(UsageError, match="has no findings"):
        explain(msgspec.structs.replace(scenario, findings=()), REDIS)


def test_a_whole_fingerprint_wins_over_a_longer_one(scenario: Report) -> None:
    first = scenario.findings[0]
    longer = msgspec.structs.replace(first, fingerprint=first.fingerprint + "ff", rule="other")
    both = msgspec.structs.replace(scenario, findings=(first, longer))
    assert explain(both, first.fingerprint).found.rule == "redis-unauthenticated"


def test_a_dormant_rule_has_its_path(scenario: Report) -> None:
    said = explain(scenario, "5e6f")
    assert said.subject is None
    assert said.way
    assert said.way.where == "tcp 0-65535"


def printed(report: Report, fingerprint: str, width: int = 80) -> str:
    stream = io.StringIO()
    show(report, fingerprint, stream, width=width)
    return stream.getvalue()


def test_it_is_printed_in_the_order_of_the_questions_people_ask(scenario: Report) -> None:
    text = printed(scenario, REDIS)
    heads = [
        "WHY",
        "PATH  anyone on the internet → 203.0.113.10:6379/tcp",
        "PROOF",
        "SCORE  97 of 100",
        "MEND",
        "SEE",
    ]
    places = [text.index(f"\n{head}") for head in heads]
    assert places == sorted(places)
    assert "  +80  severity" in text
    # What is meant to be copied is not folded.
    assert (
        "   aws ec2 revoke-security-group-ingress --region eu-central-1 --group-id sg-0redis0cafe01 "
        "--security-group-rule-ids sgr-0aa1\n"
    ) in text
    assert '     ip_protocol                  = "tcp"\n' in text
    for number, gate in enumerate(["internet gateway", "route", "network ACL", "address", "security group"], 1):
        assert f"  {number}  {gate}  " in text


def test_what_is_not_certain_is_said(scenario: Report) -> None:
    text = printed(scenario, "2b3c")
    assert "known by     undecided" in text
    assert "? could not be read" in text


def test_the_hostile_twin_is_harmless(hostile: Report) -> None:
    for finding in hostile.findings:
        text = printed(hostile, finding.fingerprint)
        assert "\x1b" not in text
        assert not [line for line in text.split("\n") if line.strip().startswith("::")]
