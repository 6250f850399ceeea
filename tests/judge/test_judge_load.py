"""Loading rules: every word that means nothing is an error with file and line, and says how to mend it."""

from pathlib import Path

import pytest
from shipped_rules import DETAILS, FOLDER, MINIMAL, rule_at, shipped

from exposure_audit.errors import InputFileError
from exposure_audit.judge.load import default_folder, load_rules

CHECKLIST = """\
items:
  - id: an-item
    category: Access
    title: An item
"""


def test_shipped_rules_load_with_the_facts_of_the_real_probes() -> None:
    assert len(shipped().rules) >= 24
    assert [rule.id for rule in shipped().rules] == sorted(rule.id for rule in shipped().rules)


def test_the_minimal_rule_loads(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL)
    (rule,) = load_rules([tmp_path], DETAILS).rules
    assert (rule.id, rule.family, rule.severity, rule.subjects) == ("a-rule", "family", "low", ("exposure",))


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "mend"),
    [
        ("severity: low", "severity: lw", 3, "unknown word 'lw'", "did you mean low?"),
        ("title:", "titel:", 2, "unknown field 'titel'", "did you mean title?"),
        ("why: Because.\n", "", 1, "the field 'why' is missing", ""),
        ("id: a-rule", "id: b-rule", 1, "is not the file's name", "call the file b-rule.yaml"),
        ("id: a-rule", "id: A_rule", 1, "is not an id", "small letters"),
        ("for: exposure", "for: exposures", 4, "unknown word 'exposures'", "did you mean exposure?"),
        ("for: exposure", "for: [exposure, exposure]", 4, "named twice", ""),
        ("{exposure.transport: tcp}", "{exposure.transprt: tcp}", 5, "no fact is called", "exposure.transport?"),
        ("{exposure.transport: tcp}", "{exposure.transport: {equal: tcp}}", 5, "no operator is called", "equals?"),
        ("{exposure.transport: tcp}", "{exposure.transport: {at_least: 3}}", 5, "does not suit", "it takes"),
        ("{exposure.transport: tcp}", "{exposure.transport: 6}", 5, "expected text, found a number", "quote it"),
        ("{exposure.transport: tcp}", "{exposure.breadth: world}", 5, "is never 'world'", "internet, wide, narrow"),
        ("{exposure.transport: tcp}", "{exposure.one_way: 1}", 5, "is true or false", ""),
        ("{exposure.transport: tcp}", "{exposure.width: {at_least: many}}", 5, "is a number", ""),
        ("{exposure.transport: tcp}", "{exposure.ports: 65536}", 5, "0 to 65535", ""),
        ("{exposure.transport: tcp}", "{exposure.address: {within: 192.0.2.0/40}}", 5, "out of range", ""),
        ("{exposure.transport: tcp}", '{observation.version: {version_in: "6.2"}}', 5, "does not start", ">=6.0"),
        ("{exposure.transport: tcp}", "{redis.mod: sentinel}", 5, "no fact is called", "redis.mode?"),
        ("{exposure.transport: tcp}", "{redis.keys: {matches: x}}", 5, "does not suit", "at_least"),
        ("{exposure.transport: tcp}", "{}", 5, "the condition is empty", ""),
        ("{exposure.transport: tcp}", "{any: []}", 5, "the list is empty", ""),
        ("for: exposure", "for: [exposure, target]", 5, "does not exist for target", "exposure"),
        ("summary: Mend it.", 'summary: "Mend {prot}."', 7, "unknown placeholder {prot}", "did you mean port?"),
        ("[https://example.org/]", "[http://example.org/]", 8, "is not a link", "https://"),
        ("  - miss: {exposure.transport: udp}\n", "", 10, "no miss among the examples", ""),
        ("  - hit: {exposure.transport: tcp}\n", "", 10, "no hit among the examples", ""),
        ("- miss:", "- mis:", 11, "unknown field 'mis'", "did you mean miss?"),
        ("miss: {exposure.transport: udp}", "miss: {exposure.trnsport: udp}", 11, "no fact is called", ""),
        ("miss: {exposure.transport: udp}", "miss: {exposure.ports: 9-3}", 11, "is not a port range", ""),
        ("severity: low", "severity: low\nseverity: high", 4, "a second 'severity'", "line 3"),
    ],
)
def test_mistakes_are_named_with_their_line(  # noqa: PLR0917 - one column a parameter
    tmp_path: Path, old: str, new: str, line: int, message: str, mend: str
) -> None:
    assert old in MINIMAL
    path = rule_at(tmp_path, MINIMAL.replace(old, new, 1))
    with pytest.raises(InputFileError) as caught:
        load_rules([tmp_path], DETAILS)
    error = caught.value
    assert message in error.message
    assert mend in error.mend
    assert error.where == f"{path}:{line}"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such folder"):
        load_rules([tmp_path / "gone"], DETAILS)


def test_a_folder_without_rules(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="holds no rule file"):
        load_rules([tmp_path], DETAILS)


def test_a_file_that_would_be_passed_over(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL).rename(tmp_path / "family" / "a-rule.yml")
    with pytest.raises(InputFileError, match=r"would be passed over.*end in \.yaml"):
        load_rules([tmp_path], DETAILS)


def test_an_id_that_another_folder_has(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL)
    other = tmp_path / "family" / "deeper"
    other.mkdir()
    rule_at(other, MINIMAL)
    with pytest.raises(InputFileError, match="a second rule is called 'a-rule'"):
        load_rules([tmp_path], DETAILS)


def test_a_checklist_item_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "checklist.yaml").write_text(CHECKLIST)
    rule_at(tmp_path, MINIMAL + "checklist: an-itme\n")
    with pytest.raises(InputFileError, match=r"no checklist item is called 'an-itme' \(did you mean an-item\?\)"):
        load_rules([tmp_path], DETAILS)


def test_a_user_folder_may_use_the_shipped_checklist(tmp_path: Path) -> None:
    rule_at(tmp_path, MINIMAL + "checklist: no-open-stores\n")
    rules = load_rules([FOLDER, tmp_path], DETAILS)
    assert "a-rule" in [rule.id for rule in rules.rules]
    assert rules.items == shipped().items or [item.id for item in rules.items] == [
        item.id for item in shipped().items
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CHECKLIST + CHECKLIST.removeprefix("items:\n"), "a second item"),
        (CHECKLIST + "    needs: [asets]\n", "unknown word 'asets'"),
        (CHECKLIST + "    needs: [probing]\n", "needs `applies`"),
        (CHECKLIST + "    settled_by: guessing\n", "unknown word 'guessing'"),
        ("items: []\n", "the list is empty"),
    ],
)
def test_a_bad_checklist(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "checklist.yaml").write_text(text)
    with pytest.raises(InputFileError, match=message):
        load_rules([tmp_path], DETAILS)


def test_a_wheel_carries_its_rules_inside(tmp_path: Path) -> None:
    package = tmp_path / "exposure_audit"
    inside, beside = package / "_rules", tmp_path / "rules"
    package.mkdir()
    with pytest.raises(InputFileError, match="install it again"):
        default_folder(package)
    beside.mkdir()
    (beside / "checklist.yaml").write_text(CHECKLIST)
    assert default_folder(package) == beside
    inside.mkdir()
    (inside / "checklist.yaml").write_text(CHECKLIST)
    assert default_folder(package) == inside
