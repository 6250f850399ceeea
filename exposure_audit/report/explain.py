"""Everything about one finding: path gate by gate, proof, score and mend."""

from difflib import get_close_matches
from typing import TextIO

import msgspec

from exposure_audit.errors import UsageError
from exposure_audit.model.report import Report
from exposure_audit.report.nouns import Found, Subject, Way
from exposure_audit.report.screen import Screen
from exposure_audit.report.tame import tame
from exposure_audit.report.view import build


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with what it is about. `subject` and `way` are None when the report holds no exposure for it."""

    found: Found
    subject: Subject | None
    way: Way | None


def explain(report: Report, fingerprint: str) -> Explanation:
    """Find a finding by its fingerprint or the beginning of it, `ea1:` or not.

    Raises UsageError when there is none, or more than one, and names those that come near.
    """
    view = build(report)
    wanted = fingerprint.strip().lower()
    found = [one for one in view.findings if wanted and _begins(one.fingerprint, wanted)]
    exact = [one for one in found if wanted in {one.fingerprint, one.fingerprint.partition(":")[2]}]
    found = exact or found
    if len(found) != 1:
        raise _mistake(fingerprint, found, [one.fingerprint for one in view.findings])
    one = found[0]
    exposure = next((its.exposure for its in report.findings if tame(its.fingerprint) == one.fingerprint), "")
    for subject in view.subjects:
        for way in subject.ways:
            if way.id and way.id == tame(exposure):
                return Explanation(found=one, subject=subject, way=way)
    return Explanation(found=one, subject=None, way=next((way for way in view.dormant if way.id == exposure), None))


def _begins(fingerprint: str, wanted: str) -> bool:
    return fingerprint.startswith(wanted) or fingerprint.partition(":")[2].startswith(wanted)


def _mistake(fingerprint: str, found: list[Found], known: list[str]) -> UsageError:
    if found:
        names = ", ".join(one.short for one in found[:5])
        return UsageError(f"{fingerprint!r} begins {len(found)} findings", mend=f"say more: {names}")
    if not known:
        return UsageError(f"no finding {fingerprint!r}", mend="this report has no findings")
    near = get_close_matches(fingerprint, known, n=3, cutoff=0.5) or known[:3]
    return UsageError(f"no finding {fingerprint!r} in this report", mend=f"near: {', '.join(near)}")


def show(report: Report, fingerprint: str, stream: TextIO, *, width: int | None = None) -> None:
    """Print the explanation on a stream. Raises UsageError as `explain` does."""
    said = explain(report, fingerprint)
    screen = Screen(stream, width=width)
    _head(screen, said)
    _path(screen, said)
    _score(screen, said.found)
    _mend(screen, said.found)
    screen.finish()


def _head(screen: Screen, said: Explanation) -> None:
    found = said.found
    style = found.severity if not found.undecided else "unknown"
    screen.line((f" {screen.sign(style)} {found.severity.upper()} ", style), f"  {found.score} of 100")
    screen.line((found.title, "name"), indent=1, hang=2)
    screen.line()
    rows = (
        ("fingerprint", found.fingerprint),
        ("rule", found.rule),
        ("known by", found.proof_word),
        ("status", found.status if found.counts else f"{found.status}: does not count for the gate"),
        ("asset", " ".join(filter(None, (found.label, f"({found.asset})" if found.asset else "")))),
        ("place", found.place),
        ("tags", said.subject.tags if said.subject else ""),
        ("checklist", found.checklist),
        ("first seen", found.first_seen),
    )
    for label, value in rows:
        if value:
            screen.line((f"{label:<13}", "quiet"), value, indent=1, hang=13)
    screen.head("WHY")
    screen.line(found.why, indent=1)


def _path(screen: Screen, said: Explanation) -> None:
    found, way = said.found, said.way
    screen.head("PATH", f"{way.who} {screen.sign('arrow')} {way.where}" if way else found.where)
    for number, step in enumerate(found.steps, 1):
        rule = f"  {step.rule}" if step.rule else ""
        screen.line(f"{number:>2}  ", (step.gate, "name"), f"  {step.native_id}{rule}", indent=1, hang=4)
        if step.text:
            screen.line((step.text, "quiet"), indent=5, hang=2)
        if step.doubt:
            screen.line((f"{screen.sign('unknown')} {step.doubt}", "unknown"), indent=5)
    if not found.steps:
        screen.line(("no path is known: the address was named by you", "quiet"), indent=1)
    for note in way.notes if way else ():
        screen.line((f"{screen.sign('dot')} {note}", "quiet"), indent=1, hang=2)
    screen.head("PROOF", found.proof_word)
    screen.line(found.evidence or "nothing was asked", indent=1)
    for answer in way.answers if way else ():
        named = f"  {answer.name}" if answer.name else ""
        screen.line(answer.where, named, "  ", (answer.word, answer.level), indent=1, hang=2)


def _score(screen: Screen, found: Found) -> None:
    screen.head("SCORE", f"{found.score} of 100")
    for name, points, why in found.factors:
        screen.line(f"{points:>+4}  ", (f"{name:<14}", "name"), why, indent=1, hang=6)


def _mend(screen: Screen, found: Found) -> None:
    screen.head("MEND")
    screen.line(found.mend or "this rule says nothing about mending", indent=1)
    for command in found.commands:
        screen.line()
        screen.verbatim(command, indent=3)
    if found.terraform:
        screen.line()
        screen.verbatim(found.terraform, indent=3)
    if found.references:
        screen.head("SEE")
    for reference in found.references:
        screen.verbatim(reference, indent=1, style="quiet")
