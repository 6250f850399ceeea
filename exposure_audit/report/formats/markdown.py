"""Markdown for a person or a pull request: the checklist to tick, what is exposed, what to mend.

Foreign names stand in code spans, where Markdown, mentions, references and HTML mean nothing; sentences that carry
such names are escaped letter by letter (https://github.github.com/gfm/). No line begins with foreign text, and no
table holds any: a code span cannot carry a pipe through a table safely. A comment on GitHub holds 65,536
characters, so the tail is left out before that, and counted.
"""

import re
from collections.abc import Callable, Iterable
from typing import BinaryIO, TypeVar

from exposure_audit.report.format import Format
from exposure_audit.report.nouns import Branch, Category, Found, Gap, Step, Subject, View
from exposure_audit.report.words import count, cut

BUDGET = 60_000
"""Characters; GitHub counts 65,536 at most."""
_APART = "&#8203;"
"""A zero-width space: GitHub and GitLab look for mentions and links after Markdown is done, so escaping a letter
does not help there, and taking the letters apart does."""
_WAYS = 10
_MARKS = {"fail": "✗ fail", "unknown": "? unknown", "pass": "✓ pass", "attested": "✎ attested"}

_PUNCTUATION = re.compile(r"[\\`*\[\]<>#!|~$^]|(?<![^\W_])_|_(?![^\W_])|^[-+=]|^\d+(?=[.)])")
# An underscore between letters means nothing; a dash or a number does only where a line begins.
_REFERENCE = re.compile(r"([@#!~%$&]|\bGH-)(?=\w)", re.IGNORECASE)
_LINK = re.compile(r"(?i)(:)(?=//)|(\bwww)(?=\.)|(\bmailto:|\bxmpp:)")

T = TypeVar("T")


def code(text: str) -> str:
    """A code span around foreign text, fenced by more backticks than it holds in a row."""
    if not text.strip():
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str) -> str:
    """A sentence in which nothing is active."""
    apart = _REFERENCE.sub(lambda found: found[0] + "\0", _LINK.sub(lambda found: found[0] + "\0", text))
    escaped = _PUNCTUATION.sub(_escape, apart.replace("&", "&amp;"))
    return escaped.replace("\0", _APART)


def _escape(found: re.Match[str]) -> str:
    # A digit cannot be escaped; the point behind it can.
    return found[0] + "\\" if found[0].isdigit() else "\\" + found[0]


def block(text: str, *, indent: int, language: str = "") -> list[str]:
    """A fenced code block inside a list item."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    lines = [f"{fence}{language}", *text.split("\n"), fence]
    return [(" " * indent + line).rstrip() for line in lines]


def render(view: View, out: BinaryIO) -> None:
    """Write the checklist, what is exposed, the findings and what was not looked at."""
    room = BUDGET
    for section in (_verdict(view), _checklist(view), _gaps(view)):
        room -= sum(len(line) + 1 for line in section)
    lines = [*_verdict(view), *_checklist(view)]
    exposed = _fit("## What is exposed", view.subjects, _subject, room // 3, "nothing that we know of")
    room -= sum(len(line) + 1 for line in exposed)
    lines += exposed
    lines += _fit("## Findings", view.findings, _finding, room, "none")
    lines += _gaps(view)
    out.write(("\n".join(lines) + "\n").encode("utf-8"))


def _fit(title: str, members: Iterable[T], write: Callable[[T], list[str]], room: int, empty: str) -> list[str]:
    """As many members as there is room for, and how many are left out."""
    members = list(members)
    lines = [title, ""]
    used = 0
    for done, member in enumerate(members):
        written = write(member)
        used += sum(len(line) + 1 for line in written)
        if used > room:
            return [*lines, f"- … and {len(members) - done:,} more, in the HTML and JSON reports", ""]
        lines += written
    return [*lines, *(() if members else (f"- {empty}",)), ""]


def _verdict(view: View) -> list[str]:
    numbers = " · ".join(f"{number:,} {label}" for label, number in view.numbers if number)
    facts = dict(view.facts)
    return [
        f"# Exposure audit: {view.verdict.word}",
        "",
        f"**{view.verdict.sentence}**",
        "",
        *(f"- {prose(reason)}" for reason in view.verdict.reasons),
        "",
        *([numbers, ""] if numbers else []),
        f"Scan {code(facts['scan'])}, {prose(facts['time'])}, {prose(facts['vantage'])}.",
        f"Scope: {code(facts['scope'])}. Fails on {facts['fails on']}. Written by {prose(facts['tool'])}.",
        "",
    ]


def _checklist(view: View) -> list[str]:
    counts = ", ".join(f"{number:,} {word}" for word, number in view.checked) or "empty"
    lines = ["## Checklist", "", f"{counts[:1].upper()}{counts[1:]}.", ""]
    shorts = {found.fingerprint: found.short for found in view.findings}
    for category in view.categories:
        lines += _category(category, shorts)
    return lines


def _category(category: Category, shorts: dict[str, str]) -> list[str]:
    lines = [f"### {prose(category.name)}", ""]
    for line in category.lines:
        ticked = "x" if line.status in {"pass", "attested", "not-applicable"} else " "
        lines.append(f"- [{ticked}] {_MARKS.get(line.word, line.word)}: **{prose(line.title)}**")
        if line.why:
            lines.append(f"  - {prose(cut(line.why, 300))}")
        named = [code(shorts[one]) for one in line.findings[:5] if one in shorts]
        more = len(line.findings) - 5
        if named:
            lines.append(f"  - findings: {', '.join(named)}{f' and {more:,} more' if more > 0 else ''}")
    return [*lines, ""]


def _subject(subject: Subject) -> list[str]:
    word = f"**{subject.severity}** · " if subject.severity else ""
    rest = [f"{subject.kind} {code(subject.native_id)}".strip(), code(subject.place), code(subject.tags)]
    lines = [" · ".join(filter(None, (f"- {word}{code(subject.label)}", *rest)))]
    shown = 0
    for bundle in subject.bundles:
        if shown >= _WAYS:
            break
        lines.append(f"  - {' → '.join((prose(bundle.who), *map(_step, bundle.steps)))}")
        for branch in bundle.branches[: _WAYS - shown]:
            lines += _branch(branch)
            shown += 1
    if len(subject.ways) > shown:
        lines.append(f"  - … and {count(len(subject.ways) - shown, 'more way')} to it")
    return lines


def _branch(branch: Branch) -> list[str]:
    way = branch.way
    before = "".join(f"{_step(step)} → " for step in branch.steps)
    lines = [] if way.answers else [f"    - {before}{code(way.where)}"]
    for answer in way.answers[:5]:
        named = f"{code(answer.name)} " if answer.name else ""
        proof = f": {code(cut(answer.proof, 300))}" if answer.proof else ""
        lines.append(f"    - {before}{code(answer.where)} {named}**{prose(answer.word)}**{proof}")
    if len(way.answers) > 5:
        lines.append(f"    - … and {count(len(way.answers) - 5, 'more port')}")
    return lines + [f"    - {prose(note)}" for note in way.notes]


def _step(step: Step) -> str:
    return f"{prose(step.gate)} {code(step.named)}" + (f" ({step.doubt})" if step.doubt else "")


def _finding(found: Found) -> list[str]:
    status = "" if found.status == "new" else f" · {found.status}"
    box = "[ ]" if found.counts else "[x]"
    lines = [
        f"- {box} **{found.severity}** {found.score} · {prose(found.title)}",
        f"  - {code(found.short)} · {prose(found.proof_word)}{status}"
        + "".join(f" · {code(text)}" for text in (found.label, found.place) if text.strip()),
    ]
    if found.evidence:
        lines.append(f"  - proof: {code(found.evidence)}")
    if found.why:
        lines.append(f"  - {prose(found.why)}")
    if found.mend:
        lines.append(f"  - mend: {prose(found.mend)}")
    if found.commands:
        lines += ["", *block("\n".join(found.commands), indent=4, language="sh"), ""]
    return lines


def _gaps(view: View) -> list[str]:
    lines = ["## Not looked at", ""]
    if not view.gaps:
        done = "nothing: everything asked for was looked at"
        return [*lines, f"- {done if view.report.gate.complete else 'see the reasons at the top'}"]
    for gap in view.gaps[:30]:
        lines += _gap(gap)
    if len(view.gaps) > 30:
        lines.append(f"- … and {len(view.gaps) - 30:,} more")
    return lines


def _gap(gap: Gap) -> list[str]:
    unknown = f", so unknown: {prose(gap.unknown)}" if gap.unknown else ""
    lines = [f"- {code(gap.what)} {gap.status} ({gap.count:,}): {code(gap.places)}{unknown}"]
    return lines + ([f"  - {code(gap.detail)}"] if gap.detail else [])


FORMAT = Format(
    name="markdown", title="a checklist to tick, for people and pull requests", suffixes=(".md",), render=render
)
