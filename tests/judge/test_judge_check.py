"""`rules test` and `rules check`, on the shipped rules and on rules that are weak on purpose."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from shipped_rules import DETAILS, FOLDER, MINIMAL, rule_at, shipped

from exposure_audit.judge.check import check, clones, try_examples, weak_spots
from exposure_audit.judge.load import load_rule, load_rules
from exposure_audit.judge.schema import rule_schema
from exposure_audit.judge.yamlfile import Node, read


def test_every_shipped_example_says_what_it_says() -> None:
    assert [trial for trial in try_examples(shipped().rules) if not trial.passed] == []


def test_nothing_is_wrong_with_the_shipped_rules() -> None:
    assert check([FOLDER], DETAILS) == ()


def test_an_example_that_is_wrong_is_found(tmp_path: Path) -> None:
    path = rule_at(tmp_path, MINIMAL.replace("miss: {exposure.transport: udp}", "miss: {exposure.transport: tcp}"))
    wrong, *_ = check([tmp_path], DETAILS)
    assert (wrong.where, wrong.message) == (f"{path}:11", "the example is a hit, not a miss")


def test_an_unread_path_makes_an_example_unknown(tmp_path: Path) -> None:
    more = (
        "  - unknown: {exposure.transport: tcp, exposure.truth: unknown}\n  - unknown: {exposure.transport: null}\n"
    )
    rule_at(tmp_path, MINIMAL + more)
    assert check([tmp_path], DETAILS) == ()


def test_a_matcher_that_no_example_needs_is_found(tmp_path: Path) -> None:
    text = MINIMAL.replace("exposure.transport: tcp}", "exposure.transport: tcp, exposure.one_way: false}")
    text = text.replace("exposure.transport: udp}", "exposure.transport: udp, exposure.one_way: false}")
    rule = load_rule(rule_at(tmp_path, text), DETAILS)
    assert [problem.message for problem in weak_spots(rule)] == [
        "no example notices when the matcher on exposure.one_way is left out"
    ]


def test_a_branch_that_no_example_takes_is_found(tmp_path: Path) -> None:
    when = "{any: [{exposure.transport: tcp}, {exposure.transport: sctp}]}"
    rule = load_rule(
        rule_at(tmp_path, MINIMAL.replace("when: {exposure.transport: tcp}", f"when: {when}")), DETAILS
    )
    assert [problem.message for problem in weak_spots(rule)] == [
        "no example notices when the matcher on exposure.transport never holds"
    ]


def test_two_rules_that_differ_in_ports_alone_are_clones(tmp_path: Path) -> None:
    one = MINIMAL.replace("when: {exposure.transport: tcp}", "when: {exposure.ports: 22}")
    other = one.replace("a-rule", "b-rule").replace("exposure.ports: 22", "exposure.ports: [3389, 5900]")
    rules = [load_rule(rule_at(tmp_path, one), DETAILS), load_rule(rule_at(tmp_path, other, "b-rule"), DETAILS)]
    (problem,) = clones(rules)
    assert "differs from a-rule" in problem.message


def test_rules_that_say_something_else_are_no_clones(tmp_path: Path) -> None:
    other = MINIMAL.replace("a-rule", "b-rule").replace("exposure.transport: tcp", "exposure.via: direct", 1)
    rules = [load_rule(rule_at(tmp_path, MINIMAL), DETAILS), load_rule(rule_at(tmp_path, other, "b-rule"), DETAILS)]
    assert clones(rules) == ()


def test_check_goes_on_after_the_first_bad_file(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL.replace("why:", "whi:"))
    rule_at(tmp_path, MINIMAL.replace("a-rule", "b-rule").replace("severity: low", "severity: lw"), "b-rule")
    assert len(check([tmp_path, tmp_path / "gone"], DETAILS)) == 3


def test_check_finds_what_only_the_whole_set_shows(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL + "checklist: nowhere\n")
    (problem,) = check([tmp_path], DETAILS)
    assert "no checklist item" in problem.message


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {name: plain(child) for name, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: rule.id)
@pytest.mark.parametrize("details", [DETAILS, {}], ids=["with-details", "without"])
def test_the_schema_accepts_every_shipped_rule(rule: Any, details: Any) -> None:
    jsonschema.Draft202012Validator(rule_schema(details)).validate(plain(read(Path(rule.file))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("severity: low", "severity: lw"),
        ("title:", "titel:"),
        ("{exposure.transport: tcp}", "{exposure.transprt: tcp}"),
        ("{exposure.transport: tcp}", "{exposure.transport: {equal: tcp}}"),
        ("{exposure.transport: tcp}", "{exposure.breadth: world}"),
        ("{exposure.transport: tcp}", "{redis.mod: x}"),
        ("for: exposure", "for: everything"),
    ],
)
def test_the_schema_refuses_what_loading_refuses(tmp_path: Path, old: str, new: str) -> None:
    schema = rule_schema(DETAILS)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = plain(read(rule_at(tmp_path, MINIMAL.replace(old, new, 1))))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)
    assert json.loads(json.dumps(schema)) == schema


def test_the_minimal_rule_fits_the_schema(tmp_path: Path) -> None:
    path = rule_at(tmp_path, MINIMAL)
    load_rules([tmp_path], DETAILS)
    jsonschema.Draft202012Validator(rule_schema(DETAILS)).validate(plain(read(path)))
