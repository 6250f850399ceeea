"""Versions compare by component; ranges have one branch each. Expected values: the projects' release histories."""

import pytest

from exposure_audit.judge.versions import Range, parse

ASCENDING = (
    ("1.4.32", "1.4.33"),
    ("1.9", "1.10"),
    ("6.2.18", "6.2.20"),
    ("18.16.1", "21.10.2.15"),
    ("21.10.2", "21.10.2.15"),
    ("4.2.6p5", "4.2.7p26"),
    ("4.2.7p25", "4.2.7p26"),
    ("4.2.7", "4.2.7p1"),
    ("1.4.3-beta1", "1.4.3"),
    ("1.4.3-alpha2", "1.4.3"),
    ("8.0-rc1", "8.0"),
    ("8.0-rc1", "8.0-rc2"),
    ("7.10.2-SNAPSHOT", "7.10.2"),
    ("4.2.8p15@1.3728-o", "4.2.8p18"),
)


@pytest.mark.parametrize(("older", "newer"), ASCENDING)
def test_order(older: str, newer: str) -> None:
    first, second = parse(older), parse(newer)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(("one", "other"), [("6.2", "6.2.0"), ("v7.0.0", "7"), ("1.2.3+build5", "1.2.3")])
def test_equal(one: str, other: str) -> None:
    assert parse(one) == parse(other)


@pytest.mark.parametrize("text", ["", "unknown", "ntpd", "-1", ".5", "latest"])
def test_what_is_no_version_says_so(text: str) -> None:
    assert parse(text) is None


def test_a_hostile_version_costs_little() -> None:
    assert parse("9" * 100_000) is not None
    assert parse("1." * 100_000) is not None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=6.0,<6.2.20", "6.2.19", "6.2.20"),
        (">=6.0,<6.2.20", "6.0", "5.9"),
        ("<1.4.33", "1.4.32", "1.4.33"),
        ("<=1.5.5", "1.5.5", "1.5.6"),
        (">1.0", "1.0.1", "1.0"),
        ("==2.0", "2.0.0", "2.0.1"),
    ],
)
def test_ranges(text: str, inside: str, outside: str) -> None:
    one = Range.read(text)
    yes, no = parse(inside), parse(outside)
    assert yes is not None
    assert no is not None
    assert one.holds(yes)
    assert not one.holds(no)


@pytest.mark.parametrize("text", ["6.2", "~6.2", ">=", ">=six", ">=7,<6", ">7,<7", "", ">=1,,<2"])
def test_ranges_that_mean_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not start|is not a version|no version can be"):
        Range.read(text)
