"""Every format prints the scenario as its golden file, and the hostile twin without anything active in it."""

import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.model import wire
from exposure_audit.model.report import Report
from exposure_audit.report.catalog import FORMATS
from exposure_audit.report.formats import markdown
from exposure_audit.report.formats.json import schema
from exposure_audit.report.formats.terminal import show
from exposure_audit.report.tame import tame_all
from exposure_audit.report.view import build

SGR = re.compile(r"\x1b\[[0-9;]*m")


def rendered(name: str, report: Report) -> bytes:
    out = io.BytesIO()
    FORMATS[name].render(build(report), out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
@pytest.mark.parametrize("which", ["scenario", "hostile"])
def test_golden(
    name: str, which: str, golden: Callable[[str, bytes], None], request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(which)
    golden(f"{which}{FORMATS[name].suffixes[0]}", rendered(name, report))


@pytest.mark.parametrize("name", list(FORMATS))
def test_rendering_twice_gives_the_same_bytes(name: str, scenario: Report) -> None:
    assert rendered(name, scenario) == rendered(name, scenario)


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_empty_report_is_a_report(name: str, scenario: Report) -> None:
    empty = msgspec.structs.replace(
        scenario, coverage=(), assets=(), exposures=(), observations=(), findings=(), checklist=()
    )
    assert len(rendered(name, empty)) > 500


@pytest.mark.parametrize("name", list(FORMATS))
def test_nothing_invisible_and_no_ci_command_comes_out_of_any_format(name: str, hostile: Report) -> None:
    text = rendered(name, hostile).decode("utf-8")
    assert not {unicodedata.category(sign) for sign in text} & {"Cc", "Cs", "Zl", "Zp"} - {"Cc"}
    assert {sign for sign in text if unicodedata.category(sign) == "Cc"} <= {"\n"}
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)
    assert not re.search(r"##(vso|teamcity)?\[", text)
    lines = [line.strip() for line in text.split("\n")]
    assert not [line for line in lines if line.startswith("::")]


# --- JSON ----------------------------------------------------------------------------------------------------


def test_json_is_the_report_and_fits_its_schema(scenario: Report, hostile: Report, fixtures: Path) -> None:
    assert rendered("json", scenario) == (fixtures / "scenario/report.json").read_bytes()
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    for report in (scenario, hostile):
        data = rendered("json", report)
        validator.validate(json.loads(data))
        assert wire.decode(data, Report, where="out") == tame_all(report)
    broken = json.loads(rendered("json", scenario))
    broken["findings"][0]["severity"] = "terrible"
    assert not validator.is_valid(broken)


def test_the_schema_says_what_it_is() -> None:
    published = schema()
    assert published["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert published["$id"] == "urn:exposure-audit:schema:report:1"
    assert published["title"]
    assert published["description"]
    nouns = published["$defs"]
    assert all(noun.get("description") for noun in nouns.values())
    assert nouns["Report"]["required"] == [
        "tool",
        "scan",
        "summary",
        "coverage",
        "assets",
        "exposures",
        "observations",
        "findings",
        "checklist",
        "gate",
    ]


# --- terminal ------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def on(stream: io.StringIO, report: Report, width: int) -> str:
    show(build(report), stream, width=width)
    return stream.getvalue()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("which", ["scenario", "hostile"])
def test_lines_fit_the_width_and_carry_no_trailing_spaces(
    width: int, which: str, request: pytest.FixtureRequest
) -> None:
    text = on(io.StringIO(), request.getfixturevalue(which), width)
    lines = text.split("\n")
    # Commands stand on lines of their own, unwrapped, to be copied.
    assert [line for line in lines if len(line) > width and "exposure-audit" not in line] == []
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.usefixtures("environment")
def test_names_are_folded_and_never_cut(scenario: Report) -> None:
    text = on(io.StringIO(), scenario, 40)
    assert "…" not in text
    joined = re.sub(r"\s+", "", text)
    assert "search-nlb-5c1d2e3f.elb.eu-central-1.amazonaws.com:9200/tcp" in joined
    assert "sg-0redis0cafe01sgr-0aa1" in joined


@pytest.mark.usefixtures("environment")
def test_colour_repeats_what_words_say(scenario: Report, hostile: Report) -> None:
    for report in (scenario, hostile):
        coloured = on(Terminal(), report, 80)
        assert "\x1b[" in coloured
        plain = on(io.StringIO(), report, 80)
        assert SGR.sub("", coloured) == plain
        assert "\x1b" not in plain


@pytest.mark.usefixtures("environment")
def test_no_colour_means_no_colour(scenario: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    codes = {code for found in SGR.findall(on(Terminal(), scenario, 80)) for code in found[2:-1].split(";")}
    # Bold, dim and underline are no colour.
    assert codes <= {"0", "1", "2", "4", ""}


@pytest.mark.usefixtures("environment")
def test_the_order_is_exposed_findings_checklist_coverage_next(scenario: Report) -> None:
    text = on(io.StringIO(), scenario, 80)
    heads = ["FAILED", "WHAT IS EXPOSED", "FINDINGS", "CHECKLIST", "NOT LOOKED AT", "NEXT"]
    places = [text.index(f"\n{head}" if head != "FAILED" else head) for head in heads]
    assert places == sorted(places)
    assert "exposure-audit explain ea1:5e1d0a7c" in text


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_an_incomplete_gate_is_never_printed_as_complete(name: str, scenario: Report) -> None:
    """What the gate alone knows of, such as a range left out, is in no list of the report."""
    bare = msgspec.structs.replace(scenario, coverage=(), exposures=(), observations=())
    text = " ".join(rendered(name, bare).decode().split())
    assert "verything asked for was looked at" not in text
    assert "ee the reasons at the top" in text
    complete = msgspec.structs.replace(bare, gate=msgspec.structs.replace(bare.gate, complete=True))
    assert "verything asked for was looked at" in " ".join(rendered(name, complete).decode().split())


@pytest.mark.usefixtures("environment")
def test_a_long_list_is_cut_and_says_so(scenario: Report) -> None:
    one = scenario.findings[0]
    many = tuple(msgspec.structs.replace(one, fingerprint=f"ea1:{n:024x}") for n in range(500))
    text = on(io.StringIO(), msgspec.structs.replace(scenario, findings=many), 80)
    assert "and 480 more, in the HTML and JSON reports" in text
    assert text.count(one.title) < 25


# --- Markdown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain ec2.describe_route_tables, a-b", "plain ec2.describe_route_tables, a-b"),
        ("a|b `c` *d* _e_ ~f~ $g$", r"a\|b \`c\` \*d\* \_e\_ \~&#8203;f\~ \$&#8203;g\$"),
        ("__init__", r"\_\_init\_\_"),
        ("<b>&amp;", r"\<b\>&amp;&#8203;amp;"),
        ("![x](http://e.example)", r"\!\[x\](http:&#8203;//e.example)"),
        ("@octocat a@b.example #12 GH-3", r"@&#8203;octocat a@&#8203;b.example \#&#8203;12 GH-&#8203;3"),
        ("www.evil.example mailto:x", "www&#8203;.evil.example mailto:&#8203;x"),
        ("- [x] done", r"\- \[x\] done"),
        ("1. one", r"1\. one"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markdown_prose(text: str, escaped: str) -> None:
    assert markdown.prose(text) == escaped


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("i-1", "`i-1`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("```", "```` ``` ````"),
        (" x", "`  x `"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_markdown_code(text: str, span: str) -> None:
    assert markdown.code(text) == span


@given(st.text(st.sampled_from("`ab \\|"), min_size=1, max_size=30))
def test_a_code_span_cannot_be_left_from_inside(text: str) -> None:
    span = markdown.code(text)
    if not text.strip():
        assert span == ""
        return
    fence = re.match("`+", span)
    assert fence
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    # CommonMark 6.1 strips one space from both ends when both are there and the rest is not blank.
    shown = inside[1:-1] if inside[0] == inside[-1] == " " and inside.strip() else inside
    assert shown == text


def _outside_code(text: str) -> Iterator[str]:
    """The Markdown without its code spans and blocks (CommonMark 0.31, sections 4.5 and 6.1)."""
    fence = ""
    for line in text.split("\n"):
        opened = re.match(r" *(`{3,})", line)
        if fence:
            fence = "" if opened and len(opened[1]) >= len(fence) and line.strip() == opened[1] else fence
            continue
        if opened:
            fence = opened[1]
            continue
        yield re.sub(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "CODE", line)
    assert not fence


def test_markdown_leaves_nothing_active_outside_code(hostile: Report) -> None:
    for line in _outside_code(rendered("markdown", hostile).decode()):
        assert not re.search(r"(?<!\\)<", line), line
        assert not re.search(r"[@#]\w", line.replace("&#8203;", " ")), line
        assert not re.search(r"(?<!\\)\]\(", line), line
        assert "://" not in line, line
        assert "www." not in line, line
        assert not re.search(r"(?<!\\)`", line), line


def test_markdown_fits_a_comment_and_says_what_it_leaves_out(scenario: Report, hostile: Report) -> None:
    one = hostile.findings[0]
    many = tuple(msgspec.structs.replace(one, fingerprint=f"ea1:{n:024x}") for n in range(10_000))
    for report in (scenario, hostile):
        text = rendered("markdown", msgspec.structs.replace(report, findings=many)).decode()
        assert len(text) < 65_536
        assert re.search(r"- … and 9,\d\d\d more, in the HTML and JSON reports", text)


# --- HTML ----------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("which", ["scenario", "hostile"])
def test_html_asks_nothing_of_any_network_and_runs_nothing_foreign(
    which: str, request: pytest.FixtureRequest
) -> None:
    parser = Tags()
    parser.feed(rendered("html", request.getfixturevalue(which)).decode())
    tags = [tag for tag, _ in parser.seen]
    assert tags.count("script") == 1
    assert tags.count("style") == 1
    assert not {"img", "svg", "iframe", "object", "embed", "form", "base", "video", "audio"} & set(tags)
    for tag, attributes in parser.seen:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset"}], tag
        target = attributes.get("href") or ""
        if tag == "a" and not target.startswith("#"):
            assert re.fullmatch(r"https?://[^\s\"'<>]+", target)
            assert attributes["rel"] == "noopener noreferrer"
        elif tag == "link":
            assert target == "data:,"


def test_html_hashes_are_those_of_its_style_and_script(scenario: Report) -> None:
    import base64
    import hashlib

    text = rendered("html", scenario).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    for tag in ("style", "script"):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inside
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]


def test_html_can_be_read_without_eyes_or_mouse(scenario: Report) -> None:
    text = rendered("html", scenario).decode()
    parser = Tags()
    parser.feed(text)
    ids = [attributes["id"] for _, attributes in parser.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = [str(a["href"])[1:] for _, a in parser.seen if str(a.get("href", "")).startswith("#")]
    assert set(inner) <= set(ids)
    assert '<html lang="en">' in text
    levels = [int(tag[1]) for tag, _ in parser.seen if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables = text.split("<table>")[1:]
    assert len(tables) == 2
    assert all(table.startswith("\n<caption>") for table in tables)
    assert all("scope" in attributes for tag, attributes in parser.seen if tag == "th")


def test_formats_do_not_import_each_other_or_the_nouns_they_print() -> None:
    folder = Path(markdown.__file__).parent
    for path in folder.glob("*.py"):
        found = re.findall(r"from exposure_audit\.report\.formats\.(\w+)", path.read_text())
        assert not found, path
