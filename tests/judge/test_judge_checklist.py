"""The checklist: fail, unknown, not applicable, pass, each with its reason."""

import pytest
from cases import ALL_READ, an_asset, an_exposure, item, judged, nothing_came, seen
from shipped_rules import shipped

from exposure_audit.judge.run import Case, judge
from exposure_audit.model.inventory import Coverage, Inventory, Noun
from exposure_audit.model.plan import Exclusion


def gap(call: str, *yields: Noun) -> Coverage:
    return Coverage(
        provider="aws", account="123456789012", region="eu-west-1", call=call, status="denied", yields=yields
    )


def with_gap(row: Coverage) -> Inventory:
    return Inventory(assets=(an_asset(),), coverage=(ALL_READ, row))


def test_every_item_is_answered_in_the_order_of_its_file() -> None:
    judgement = judged(an_exposure(443))
    assert [one.id for one in judgement.checklist] == [one.id for one in shipped().items]
    assert all(one.why for one in judgement.checklist)


def test_every_item_is_failed_by_a_rule_or_settled_by_itself() -> None:
    # A middlebox on the path fails nothing: it leaves the rules about that path unknown.
    named = {rule.checklist for rule in shipped().rules if rule.id != "middlebox-decides"}
    assert {one.id for one in shipped().items if one.settled_by == "findings"} == named


def test_a_true_finding_fails_its_item() -> None:
    judgement = judged(an_exposure(), observations=(seen(),))
    answer = item(judgement, "no-open-stores")
    assert (answer.status, answer.why) == (
        "fail",
        "1 finding, the worst critical: Redis on 192.0.2.1:6379 obeys anyone",
    )
    assert answer.findings == tuple(
        one.fingerprint for one in judgement.findings if one.checklist == "no-open-stores"
    )


def test_an_undecided_finding_leaves_it_unknown() -> None:
    answer = item(judged(an_exposure()), "no-open-stores")
    assert (answer.status, answer.why) == (
        "unknown",
        "1 case undecided: it was not asked (no probe was sent there).",
    )


def test_asked_and_locked_passes() -> None:
    judgement = judged(an_exposure(), observations=(seen(verdict="auth-required", version="8.4.0", tls=True),))
    answer = item(judgement, "no-open-stores")
    assert (answer.status, answer.why) == ("pass", "1 case looked at, none is against it")
    assert item(judgement, "credentials-encrypted").status == "pass"
    assert item(judgement, "no-known-flaws").status == "pass"
    assert item(judgement, "everything-asked").status == "pass"
    assert item(judgement, "stores-stay-private").status == "fail"


def test_nothing_of_the_kind_is_not_applicable() -> None:
    judgement = judged(an_exposure(443), observations=(seen(443, service="", verdict="unidentified"),))
    assert item(judgement, "no-open-stores").status == "not-applicable"
    assert item(judgement, "no-amplifiers").status == "not-applicable"
    assert item(judgement, "everything-identified").status == "fail"


@pytest.mark.parametrize("verdict", ["filtered", "error"])
def test_no_answer_is_no_pass(verdict: str) -> None:
    judgement = judged(an_exposure(443), observations=(nothing_came(443, verdict, "why"),))
    assert item(judgement, "everything-identified").status == "unknown"
    assert item(judgement, "everything-asked").status == ("unknown" if verdict == "error" else "pass")


def test_without_probing_what_probes_decide_is_unknown() -> None:
    judgement = judged(an_exposure(443), probed=False)
    for name in ("no-unclaimed-services", "everything-identified", "everything-asked"):
        answer = item(judgement, name)
        assert (answer.status, answer.why) == (
            "unknown",
            "1 case without an answer: nothing was probed in this run",
        )
    assert item(judgement, "no-admin-ports").status == "pass"


def test_an_excluded_range_is_not_asked_in_full() -> None:
    rest = Exclusion(
        address="192.0.2.1", transport="tcp", port_from=1, port_to=65535, reason="wide range", exposure="exp-0"
    )
    judgement = judged(an_exposure(0, 65535), exclusions=(rest,), observations=(nothing_came(6379, "closed"),))
    answer = item(judgement, "everything-asked")
    assert (answer.status, answer.why) == ("unknown", "1 case without an answer: wide range")


@pytest.mark.parametrize(
    ("noun", "unknown"),
    [
        ("filter", {"no-admin-ports", "no-wide-ranges", "same-over-ipv6", "no-dormant-rules"}),
        ("listener", {"no-front-to-store"}),
        ("door", {"no-public-databases"}),
    ],
)
def test_what_could_not_be_read_is_unknown_and_says_so(noun: Noun, unknown: set[str]) -> None:
    judgement = judged(an_exposure(443), inventory=with_gap(gap("ec2.describe_x", noun)))
    for name in unknown:
        answer = item(judgement, name)
        assert answer.status == "unknown", name
        assert answer.why == "1 call not answered: ec2.describe_x in eu-west-1 (denied)"
    assert item(judgement, "inventory-complete").status == "unknown"


def test_a_whole_inventory_passes() -> None:
    answer = item(judged(an_exposure(443)), "inventory-complete")
    assert (answer.status, answer.why) == ("pass", "1 call made, none failed")


def test_targets_alone_leave_the_inventory_unknown() -> None:
    judgement = judge(Case(observations=(seen(verdict="auth-required"),), probed=True), shipped())
    assert item(judgement, "inventory-complete").status == "unknown"
    assert item(judgement, "no-admin-ports").why == "no inventory was read"
    assert item(judgement, "no-open-stores").status == "pass"


def test_nothing_at_all_proves_nothing() -> None:
    assert {one.status for one in judge(Case(), shipped()).checklist} <= {"unknown", "not-applicable"}


def test_dormant_rules_fail_their_item() -> None:
    judgement = judged(an_exposure(22, dormant=True))
    assert item(judgement, "no-dormant-rules").status == "fail"
    assert item(judgement, "no-admin-ports").status == "not-applicable"


def test_a_middlebox_leaves_the_network_items_unknown() -> None:
    judgement = judged(an_exposure(22, truth="conditional"))
    assert item(judgement, "no-admin-ports").status == "unknown"
    assert item(judgement, "no-wide-ranges").status == "pass"
