"""What is active becomes visible; nothing else changes."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exposure_audit.model.finding import Finding, Fix, ScoreFactor
from exposure_audit.model.inventory import Asset
from exposure_audit.report.tame import LIMIT, tame, tame_all, tame_lines

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CI = ("::", ":", "error", "error::", " ", "#", "##[", "##vso[", "##teamcity[")
PIECES = (*CI, "\x1b[2J", "\r\n", "\\x", "a" * 900)
ANY = st.text(st.characters(exclude_categories=()))
NASTY = st.lists(st.sampled_from(PIECES) | ANY, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "tamed"),
    [
        ("cache-1", "cache-1"),
        ("Ωmega 東京 é 🙂 \ufffd", "Ωmega 東京 é 🙂 \ufffd"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]8;;https://evil.example\x07x\x1b]8;;\x07", r"\x1b]8;;https://evil.example\x07x\x1b]8;;\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc\0d\x7f", r"a\x0d\x0ab\x09c\x00d\x7f"),
        ("abc\u202egnp.exe", r"abc\u202egnp.exe"),
        ("zero\u200bwidth\u2060\ufeff\u00ad", r"zero\u200bwidth\u2060\ufeff\xad"),
        ("line\u2028and\u2029paragraph\x85", r"line\u2028and\u2029paragraph\x85"),
        ("\ud800 alone", r"\ud800 alone"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("::error::x", r"\x3a:error::x"),
        ("::Warning file=a,line=1::x", r"\x3a:Warning file=a,line=1::x"),
        ("##[group]x ##vso[task.complete] ##teamcity[x", r"\x23#[group]x \x23#vso[task.complete] \x23#teamcity[x"),
        # Not commands: addresses, ARNs, headings, C++.
        ("2001:db8::dead and ::1 and ::/0", "2001:db8::dead and ::1 and ::/0"),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
        ("## heading #[1] std::error", "## heading #[1] std::error"),
    ],
)
def test_examples(text: str, tamed: str) -> None:
    assert tame(text) == tamed


@given(NASTY)
@example("::error::" * 600)
@example("\x1b" * LIMIT)
@example("a" * (LIMIT - 3) + "::error::")
@example("\\" * (LIMIT + 1))
def test_taming_is_total_idempotent_and_leaves_nothing_active(text: str) -> None:
    tamed = tame(text)
    assert tame(tamed) == tamed
    assert len(tamed) <= LIMIT
    assert not {unicodedata.category(sign) for sign in tamed} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(tamed) & set(BIDI)
    assert "::error::" not in tamed
    assert "::error " not in tamed
    assert not any(prefix in tamed for prefix in ("##[", "##vso[", "##teamcity["))
    tamed.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], max_codepoint=0x2FF), max_size=300))
def test_letters_are_left_alone(text: str) -> None:
    if "::" not in text and "##" not in text:
        assert tame(text) == text


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    tamed = tame("x" * 10_000)
    assert len(tamed) == LIMIT
    assert tamed.endswith("x… (10,000 characters)")
    # 4,096 controls are 16,384 characters of escapes; none of them is cut in half.
    escapes = tame("\0" * 4096).removesuffix("… (4,096 characters)")
    assert escapes == "\\x00" * (len(escapes) // 4)


@given(NASTY)
@example("\ud800")
@example("\x7f")
@example("a" * (LIMIT + 1))
def test_a_noun_is_tamed_as_its_texts_are(text: str) -> None:
    factor = ScoreFactor(name=text, points=1, why="w")
    finding = Finding(fingerprint="f", rule=text, title="t", severity="low", score_factors=(factor,))
    tamed = tame_all([finding])[0]
    assert tamed.rule == tamed.score_factors[0].name == tame(text)


def test_line_feeds_stay_where_several_lines_are_meant() -> None:
    assert tame_lines("a {\n\tb\r\n}") == "a {\n\\x09b\\x0d\n}"


def test_every_text_inside_a_noun_is_tamed_and_a_tame_noun_is_returned_as_it_is() -> None:
    asset = Asset(
        id="aws:1:eu:instance/i\x1b",
        kind="instance",
        provider="aws",
        account="1",
        region="eu",
        native_id="i",
        tags={"k\n": "v\u202e", "ok": "fine"},
    )
    tamed = tame_all(asset)
    assert tamed.id == "aws:1:eu:instance/i\\x1b"
    assert tamed.tags == {"k\\x0a": "v\\u202e", "ok": "fine"}
    assert tame_all(tamed) is tamed
    fix = Fix(summary="a\nb", commands=("x\ny",), terraform="r {\n}\n")
    finding = tame_all(Finding(fingerprint="f", rule="r", title="t", severity="low", fix=fix))
    assert finding.fix == Fix(summary="a\\x0ab", commands=("x\\x0ay",), terraform="r {\n}\n")


@pytest.mark.parametrize("value", [None, 3, 2.5, True, b"\x1b", [], {}, ()])
def test_what_is_no_text_stays(value: object) -> None:
    assert tame_all(value) == value
    assert tame_all(["\x1b", value]) == ["\\x1b", value]
