"""The report for a person at a terminal: what is exposed first, and what to do next last.

Plain text as much as colour: in a pipe, with NO_COLOR or on a dumb terminal the words and symbols say the same.
Long lists are cut to what a person reads, and say what they leave out; the other formats hold everything.
"""

import io
from typing import BinaryIO, TextIO

from exposure_audit.report.format import Format
from exposure_audit.report.nouns import LEVEL_WORDS, Branch, Bundle, Found, Gap, Subject, View, Way
from exposure_audit.report.screen import Screen, chain
from exposure_audit.report.words import count, some

_SUBJECTS, _QUIET, _WAYS, _FINDINGS, _GAPS, _DORMANT = 12, 15, 6, 20, 12, 5
_FILE_WIDTH = 100


def render(view: View, out: BinaryIO) -> None:
    """Write the report as plain text for a file."""
    text = io.StringIO()
    show(view, text, width=_FILE_WIDTH)
    out.write(text.getvalue().encode("utf-8"))


def show(view: View, stream: TextIO, *, width: int | None = None) -> None:
    """Print the report on a stream; width and colour are those of the stream unless a width is given."""
    screen = Screen(stream, width=width)
    _verdict(screen, view)
    _exposed(screen, view)
    _findings(screen, view)
    _checklist(screen, view)
    _gaps(screen, view)
    _next(screen, view)
    screen.line()
    _headline(screen, view)
    screen.finish()


def _headline(screen: Screen, view: View) -> None:
    """The verdict in one line: the first one, and the last, because a long report has scrolled by."""
    verdict = view.verdict
    mark = f" {screen.sign(verdict.level)} {verdict.word} "
    screen.line((mark, verdict.level), f"  {verdict.sentence}", hang=len(mark) + 2)


def _verdict(screen: Screen, view: View) -> None:
    _headline(screen, view)
    for reason in view.verdict.reasons:
        screen.line("- ", reason, indent=2, hang=2)
    screen.line()
    shown = [f"{number:,} {label}" for label, number in view.numbers if number]
    screen.line(f" {screen.sign('dot')} ".join(shown) or "nothing was found", indent=2)
    facts = dict(view.facts)
    dot = f" {screen.sign('dot')} "
    screen.line((f"{facts['vantage']}{dot}{facts['scope']}", "quiet"), indent=2)
    screen.line((f"{facts['time']}{dot}scan {facts['scan']}{dot}{facts['tool']}", "quiet"), indent=2)


# --- what is exposed -----------------------------------------------------------------------------------------


def _exposed(screen: Screen, view: View) -> None:
    loud = [one for one in view.subjects if one.loud]
    quiet = [one for one in view.subjects if not one.loud]
    total = f"{count(sum(len(one.ways) for one in view.subjects), 'way')} to {count(len(view.subjects), 'asset')}"
    screen.head("WHAT IS EXPOSED", total if view.subjects else "nothing that we know of")
    for subject in loud[:_SUBJECTS]:
        _subject(screen, subject)
    _left_out(screen, loud[_SUBJECTS:])
    if quiet:
        screen.line()
        screen.line("Reachable, and closed to strangers as far as asked:", indent=1)
    for subject in quiet[:_QUIET]:
        for way in subject.ways[:_WAYS]:
            _one_line(screen, way, f"{subject.label}  ", indent=3)
        if len(subject.ways) > _WAYS:
            screen.line((f"and {count(len(subject.ways) - _WAYS, 'more way')} to it", "quiet"), indent=3)
    _left_out(screen, quiet[_QUIET:])
    if view.dormant:
        screen.line()
        screen.line("Dormant: open to the world, nothing reachable behind it:", indent=1)
    for way in view.dormant[:_DORMANT]:
        rules = [step.named for step in way.steps if step.rule] or [step.named for step in way.steps]
        screen.line(f"{way.where} from {way.who}", (f"  {', '.join(rules)}", "quiet"), indent=3, hang=2)
    if len(view.dormant) > _DORMANT:
        screen.line((f"and {len(view.dormant) - _DORMANT:,} more", "quiet"), indent=3)


def _left_out(screen: Screen, rest: list[Subject]) -> None:
    if rest:
        names = some([one.label for one in rest])
        screen.line()
        screen.line((f"and {len(rest):,} more, in the HTML and JSON reports: {names}", "quiet"), indent=1)


def _subject(screen: Screen, subject: Subject) -> None:
    screen.line()
    dot = f" {screen.sign('dot')} "
    rest = dot.join(filter(None, (f"{subject.kind} {subject.native_id}".strip(), subject.place, subject.tags)))
    word, style = subject.severity.upper(), str(subject.severity)
    if not subject.severity:
        word, style = LEVEL_WORDS[subject.level], subject.level
    mark = f" {screen.sign(style)} {word} "
    screen.line((mark, style), " ", (subject.label, "name"), (f"{dot}{rest}" if rest else "", "quiet"), hang=3)
    for bundle in subject.bundles[:_WAYS]:
        _bundle(screen, bundle)
    if len(subject.bundles) > _WAYS:
        more = sum(len(bundle.branches) for bundle in subject.bundles[_WAYS:])
        screen.line((f"and {count(more, 'more way')} to it", "quiet"), indent=3)


def _bundle(screen: Screen, bundle: Bundle) -> None:
    loud = [one for one in bundle.branches if one.way.level in {"open", "unknown"}]
    if loud:
        screen.line((bundle.who, "name"), indent=3, hang=2)
        if bundle.steps:
            screen.line(*chain(screen, bundle.steps), indent=5, hang=2)
    for branch in loud[:_WAYS]:
        _branch(screen, branch)
    if len(loud) > _WAYS:
        screen.line((f"and {count(len(loud) - _WAYS, 'more way')} like these", "quiet"), indent=5)
    quiet = [one.way for one in bundle.branches if one not in loud]
    for way in quiet[:_WAYS]:
        _one_line(screen, way, "", indent=3)
    if len(quiet) > _WAYS:
        screen.line((f"and {count(len(quiet) - _WAYS, 'more way')} like these", "quiet"), indent=3)


def _branch(screen: Screen, branch: Branch) -> None:
    way = branch.way
    before = [*chain(screen, branch.steps), (f"{screen.sign('arrow')} ", "quiet")]
    if not way.answers:
        screen.line(*before, (way.where, "name"), indent=5, hang=2)
    for answer in way.answers[:_WAYS]:
        named = f"  {answer.name}" if answer.name else ""
        screen.line(*before, (answer.where, "name"), named, "  ", (answer.word, answer.level), indent=5, hang=2)
        if answer.proof:
            screen.line(("it said " if answer.name else "", "quiet"), answer.proof, indent=7, hang=2)
    if len(way.answers) > _WAYS:
        screen.line((f"and {count(len(way.answers) - _WAYS, 'more port')}", "quiet"), indent=7)
    for note in way.notes:
        screen.line((f"{screen.sign('dot')} {note}", "quiet"), indent=5, hang=2)


def _one_line(screen: Screen, way: Way, before: str, *, indent: int) -> None:
    spoken = [f"{answer.name} {answer.word}".strip() for answer in way.answers]
    said = "; ".join(dict.fromkeys(spoken)) or "; ".join(way.notes)
    sign = (f"{screen.sign(way.level)} ", way.level)
    screen.line(sign, before, way.where, (f"  {said}; the rules let in {way.who}", "quiet"), indent=indent, hang=4)


# --- findings, checklist, coverage ---------------------------------------------------------------------------


def _findings(screen: Screen, view: View) -> None:
    counts = ", ".join(f"{number:,} {severity}" for severity, number in view.severities if number)
    undecided = dict(view.numbers)["undecided"]
    also = f"{undecided:,} undecided" if undecided else ""
    screen.head("FINDINGS", "; ".join(filter(None, (counts, also))) or "none")
    for found in view.findings[:_FINDINGS]:
        _finding(screen, found)
    rest = view.findings[_FINDINGS:]
    if rest:
        screen.line()
        screen.line((f"and {len(rest):,} more, in the HTML and JSON reports", "quiet"), indent=1)


def _finding(screen: Screen, found: Found) -> None:
    style = found.severity if found.counts and not found.undecided else "quiet"
    sign = screen.sign("unknown" if found.undecided else found.severity)
    screen.line()
    screen.line(
        (f" {sign} {found.severity.upper()} ", style), f" {found.score:>3}  ", (found.title, "name"), hang=3
    )
    dot = f" {screen.sign('dot')} "
    status = "" if found.status == "new" else found.status
    named = found.label if found.label not in found.title else ""
    said = dot.join(filter(None, (found.proof_word, status, named, found.place, found.short)))
    screen.line((said, "quiet"), indent=3, hang=2)
    if found.undecided:
        screen.line(found.why, indent=3, hang=2)
    elif found.evidence and not found.verified:
        screen.line(found.evidence, indent=3, hang=2)
    if found.mend:
        screen.line(("mend  ", "pass"), found.mend, indent=3, hang=6)


def _checklist(screen: Screen, view: View) -> None:
    screen.head("CHECKLIST", ", ".join(f"{number:,} {word}" for word, number in view.checked) or "empty")
    wide = max((len(word) for word, _ in view.checked if word != "not applicable"), default=0)
    for category in view.categories:
        lines = [line for line in category.lines if line.status != "not-applicable"]
        if lines:
            screen.line()
            screen.line((category.name, "name"), indent=1)
        for line in lines:
            mark = f"{screen.sign(line.word)} {line.word.ljust(wide)}  "
            screen.line((mark, line.word), line.title, indent=2, hang=len(mark))
            if line.why:
                screen.line((line.why, "quiet"), indent=2 + len(mark))
    rest = [line for one in view.categories for line in one.lines if line.status == "not-applicable"]
    if rest:
        screen.line()
        screen.line((f"Not applicable here ({len(rest):,}):", "quiet"), indent=1)
    for line in rest:
        screen.line((f"{screen.sign(line.word)} {line.title}", "quiet"), indent=2, hang=2)


def _gaps(screen: Screen, view: View) -> None:
    calls = sum(row.status == "ok" for row in view.report.coverage)
    if not view.gaps and not view.report.gate.complete:
        screen.head("NOT LOOKED AT", f"see the reasons at the top; {count(calls, 'call')} answered")
        return
    if not view.gaps:
        screen.head("COVERAGE", f"everything asked for was looked at; {count(calls, 'call')} answered")
        return
    total = sum(gap.count for gap in view.gaps)
    screen.head("NOT LOOKED AT", f"{count(total, 'thing')}, so unknown, not safe; {count(calls, 'call')} answered")
    screen.line()
    for gap in view.gaps[:_GAPS]:
        _gap(screen, gap)
    if len(view.gaps) > _GAPS:
        screen.line((f"and {len(view.gaps) - _GAPS:,} more", "quiet"), indent=1)


def _gap(screen: Screen, gap: Gap) -> None:
    screen.line(
        (f"{screen.sign('unknown')} ", "unknown"),
        (gap.what, "name"),
        f"  {gap.status}: {gap.places}",
        indent=1,
        hang=2,
    )
    said = "; ".join(filter(None, (gap.detail, f"unknown: {gap.unknown}" if gap.unknown else "")))
    screen.line((said, "quiet"), indent=3, hang=2)


def _next(screen: Screen, view: View) -> None:
    steps: list[tuple[str, str]] = []
    worst = next((found for found in view.findings if found.counts), None)
    if worst:
        steps.append((f"exposure-audit explain {worst.short}", "path, proof, score and mend of the worst finding"))
    if any(gap.status == "denied" for gap in view.gaps):
        steps.append(("exposure-audit doctor", "the permissions that are missing, and what for"))
    steps.append(("exposure-audit report --format html=report.html", "everything, to read and to send on"))
    screen.head("NEXT")
    for command, what in steps:
        screen.verbatim(command, indent=3)
        screen.line((what, "quiet"), indent=5)


FORMAT = Format(name="terminal", title="for reading in a terminal", suffixes=(".txt",), render=render)
