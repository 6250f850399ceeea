"""The gate: which findings fail it, what makes a run incomplete, and the exit code of each pair."""

from pathlib import Path
from typing import get_args

import pytest

from exposure_audit.gate.decide import decide, exit_code
from exposure_audit.model import wire
from exposure_audit.model.exposure import Hop
from exposure_audit.model.finding import SEVERITIES, Finding, Severity, Status
from exposure_audit.model.inventory import Coverage, CoverageStatus, Noun
from exposure_audit.model.observation import Observation, Verdict
from exposure_audit.model.plan import Exclusion
from exposure_audit.model.report import Decision, FailOn, Report

CERTAIN = (Hop(gate="security-group", native_id="sg-1"),)
DOUBTFUL = (Hop(gate="route", native_id="rtb-1", truth="unknown"),)


def row(status: CoverageStatus, detail: str = "", *, region: str = "eu-central-1", call: str = "ec2.a") -> Coverage:
    needed: tuple[Noun, ...] = () if "nobody needs it" in detail else ("asset",)
    return Coverage(
        provider="aws", account="1", region=region, call=call, status=status, detail=detail, yields=needed
    )


OK = row("ok", call="sts.get_caller_identity")


def finding(severity: Severity = "high", *, status: Status = "new", title: str = "T") -> Finding:
    return Finding(fingerprint="ea1:1", rule="r", title=title, severity=severity, status=status)


def undecided(*, path: tuple[Hop, ...] = CERTAIN, exposure: str = "exp-1", status: Status = "new") -> Finding:
    return Finding(
        fingerprint="ea1:2",
        rule="r",
        title="Undecided: perhaps",
        severity="high",
        truth="unknown",
        status=status,
        exposure=exposure,
        address="192.0.2.1",
        port=6379,
        transport="tcp",
        path=path,
    )


def seen(verdict: Verdict, reason: str = "") -> Observation:
    return Observation(address="192.0.2.1", port=6379, transport="tcp", verdict=verdict, reason=reason)


def left_out(*, incomplete: bool) -> Exclusion:
    return Exclusion(
        address="192.0.2.1",
        transport="tcp",
        port_from=1,
        port_to=9,
        reason="because",
        exposure="exp-1",
        incomplete=incomplete,
    )


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", get_args(FailOn))
def test_a_finding_fails_the_gate_from_its_level_on(severity: Severity, fail_on: FailOn) -> None:
    order = ["critical", "high", "medium", "low", "info"]
    expected = fail_on == "never" or order.index(severity) > order.index(fail_on)
    assert decide([finding(severity)], coverage=[OK], fail_on=fail_on).passed is expected


@pytest.mark.parametrize(
    ("status", "passed"), [("new", False), ("known", False), ("locked", True), ("suppressed", True)]
)
def test_what_is_locked_or_suppressed_does_not_fail(status: Status, passed: bool) -> None:
    assert decide([finding(status=status)], coverage=[OK], fail_on="low").passed is passed


def test_an_undecided_finding_never_fails_the_gate_and_makes_the_run_incomplete() -> None:
    decision = decide([undecided()], coverage=[OK], fail_on="low")
    assert (decision.passed, decision.complete) == (True, False)
    assert decision.reasons == ("no finding at or above low", "1 finding could not be decided: perhaps")


def test_the_worst_three_are_named_and_the_rest_is_counted() -> None:
    findings = [finding("critical", title=f"T{n}") for n in range(4)] + [finding("low", title="small")]
    decision = decide(findings, coverage=[OK], fail_on="high")
    assert decision.reasons == ("4 findings at or above high (4 critical): T0; T1; T2; and 1 more",)
    assert decision.complete


@pytest.mark.parametrize(
    ("status", "detail", "complete"),
    [
        ("ok", "", True),
        ("denied", "AccessDenied", False),
        ("throttled", "", False),
        ("failed", "", False),
        ("skipped", "no ec2.describe_instances.json", False),
        ("skipped", "the region is not enabled for this account: OptInRequired", False),
        ("skipped", "excluded by --region", True),
        ("skipped", "the region is not enabled, and nobody needs it", True),
        ("unsupported", "no such endpoint", True),
    ],
)
def test_which_coverage_rows_are_gaps(status: CoverageStatus, detail: str, complete: bool) -> None:
    assert decide([], coverage=[OK, row(status, detail)], fail_on="high").complete is complete


def test_where_nothing_answers_an_unsupported_call_is_a_gap() -> None:
    """A name server that is down makes every endpoint look as if it did not exist."""
    rows = [OK, row("unsupported", region="us-east-1"), row("unsupported", region="us-east-1", call="ec2.b")]
    decision = decide([], coverage=rows, fail_on="high")
    assert not decision.complete
    assert decision.reasons[1].startswith("2 calls were not answered: ec2.a unsupported in us-east-1")


def test_the_same_call_in_many_regions_is_named_once() -> None:
    rows = [OK, *(row("denied", region=f"region-{n}") for n in range(17)), row("failed", call="ec2.b")]
    reason = decide([], coverage=rows, fail_on="high").reasons[1]
    assert reason == "18 calls were not answered: ec2.a denied in 17 places; ec2.b failed in eu-central-1"


def test_our_own_failure_is_a_gap_and_silence_is_an_answer() -> None:
    failed = decide([], coverage=[OK], observations=[seen("error", "no route to host")], fail_on="high")
    assert not failed.complete
    assert failed.reasons[1] == "1 port could not be asked: 192.0.2.1:6379/tcp (no route to host)"
    assert decide([], coverage=[OK], observations=[seen("filtered")], fail_on="high").complete


def test_silence_excuses_an_undecided_finding_only_when_its_path_is_certain() -> None:
    silent = [seen("filtered")]
    assert decide([undecided()], coverage=[OK], observations=silent, fail_on="high").complete
    assert not decide([undecided(path=DOUBTFUL)], coverage=[OK], observations=silent, fail_on="high").complete


def test_what_the_user_left_out_does_not_make_a_run_incomplete() -> None:
    def complete(finding: Finding, *, incomplete: bool, seen_there: tuple[Observation, ...] = ()) -> bool:
        exclusions = [left_out(incomplete=incomplete)]
        decision = decide([finding], coverage=[OK], exclusions=exclusions, observations=seen_there, fail_on="high")
        return decision.complete

    assert complete(undecided(), incomplete=False)
    assert not complete(undecided(), incomplete=True)
    assert not complete(undecided(path=DOUBTFUL), incomplete=False)
    assert not complete(undecided(exposure="exp-2"), incomplete=False)
    # It was asked after all, and the answer did not decide.
    assert not complete(undecided(), incomplete=False, seen_there=(seen("unidentified"),))


def test_a_run_that_probes_nothing_by_request_is_complete_where_only_a_probe_could_tell() -> None:
    assert decide([undecided()], coverage=[OK], fail_on="high", probed=False).complete
    assert not decide([undecided(path=DOUBTFUL)], coverage=[OK], fail_on="high", probed=False).complete


def test_what_is_suppressed_need_not_be_decided() -> None:
    assert decide([undecided(status="suppressed")], coverage=[OK], fail_on="high").complete


def test_an_empty_scope_is_not_a_clean_one() -> None:
    for rows in ([], [row("skipped", "excluded by --region")]):
        decision = decide([], coverage=rows, fail_on="high")
        assert decision.passed
        assert not decision.complete
        assert decision.reasons[1].startswith("nothing was looked at")
    assert decide([], observations=[seen("closed")], fail_on="high").complete


def test_reasons_come_in_the_order_of_importance_and_say_that_a_flag_allows_it() -> None:
    decision = decide(
        [finding(), undecided()],
        coverage=[OK, row("denied")],
        exclusions=[left_out(incomplete=True)],
        observations=[seen("error")],
        fail_on="high",
        allow_incomplete=True,
    )
    assert [reason.split(":")[0] for reason in decision.reasons] == [
        "1 finding at or above high (1 high)",
        "1 call was not answered",
        "1 port could not be asked",
        "1 reachable range was left out",
        "1 finding could not be decided",
        "incompleteness is allowed (--allow-incomplete)",
    ]


@pytest.mark.parametrize(
    ("passed", "complete", "allowed", "code"),
    [
        (True, True, False, 0),
        (True, True, True, 0),
        (False, True, False, 1),
        (False, False, False, 1),
        (False, False, True, 1),
        (True, False, False, 3),
        (True, False, True, 0),
    ],
)
def test_exit_codes(passed: bool, complete: bool, allowed: bool, code: int) -> None:
    decision = Decision(passed=passed, complete=complete, fail_on="high")
    assert exit_code(decision, allow_incomplete=allowed) == code


def test_the_gate_of_the_scenario(fixtures: Path) -> None:
    report = wire.read(fixtures / "scenario/report.json", Report)
    wide = Exclusion(
        address="198.51.100.50",
        transport="tcp",
        port_from=8000,
        port_to=8100,
        reason="wide range",
        exposure="exp-0000000000a8",
        incomplete=False,
    )
    decision = decide(
        report.findings,
        coverage=report.coverage,
        exclusions=[wide],
        observations=report.observations,
        fail_on="high",
    )
    assert decision == report.gate
    assert exit_code(decision, allow_incomplete=True) == 1


def test_a_gate_that_never_fails_says_so() -> None:
    decision = decide([finding("critical")], coverage=[OK], fail_on="never")
    assert decision == Decision(
        passed=True, complete=True, fail_on="never", reasons=("no finding fails the gate (--fail-on never)",)
    )
