"""Holds every rule against everything gathered, and answers the checklist.

One finding for each rule and meaning: of many addresses, ports of a range or observations that say the same, the
best proven one is shown, and the number of further addresses is said.
"""

from collections.abc import Sequence

import msgspec

from exposure_audit.judge import checklist, text, words
from exposure_audit.judge.case import Case
from exposure_audit.judge.checklist import Tally
from exposure_audit.judge.compile import Entry, Hit, Program
from exposure_audit.judge.conditions import PROVEN, All, leaf
from exposure_audit.judge.facts import FACTS
from exposure_audit.judge.fingerprint import Meaning, fingerprint
from exposure_audit.judge.rows import LOST, Row, World
from exposure_audit.judge.rule import Item, Rule, RuleSet
from exposure_audit.judge.score import score
from exposure_audit.model.finding import SEVERITIES, ChecklistItem, Finding, Fix

__all__ = ["Case", "Judgement", "judge", "program_of"]

_BREADTH = {"internet": 2, "wide": 1, "narrow": 0}
_ACCESS = {"execute": 4, "write": 3, "read": 2, "metadata": 1, "none": 0}
_ANSWER = FACTS["observation.answer"]
_UNASKED = leaf(_ANSWER, "in", frozenset({"error", "not-asked"}))
_UNANSWERED = leaf(_ANSWER, "in", LOST | {"undetermined"})


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`findings` in the order of the ranking, `checklist` in the order of its file."""

    findings: tuple[Finding, ...]
    checklist: tuple[ChecklistItem, ...]


class _Candidate(msgspec.Struct):
    rule: Rule
    about_service: bool
    row: Row
    certain: bool
    rank: tuple[int, ...]
    tie: tuple[str, int]
    addresses: set[str]


def program_of(rules: Sequence[Rule]) -> Program:
    """Compile rules alone."""
    return Program(Entry(frozenset(rule.subjects), rule.condition) for rule in rules)


def judge(case: Case, rules: RuleSet) -> Judgement:
    """Judge a case. Pure: the same case and rules give the same findings, in the same order."""
    entries = [Entry(frozenset(rule.subjects), rule.condition) for rule in rules.rules]
    about: list[tuple[Item, bool]] = []
    for item in rules.items:
        if item.applies is not None:
            entries.append(Entry(frozenset(item.subjects), All((PROVEN, item.applies))))
            about.append((item, False))
            if "probing" in item.needs:
                lost = _UNASKED if item.settled_by == "asked" else _UNANSWERED
                entries.append(Entry(frozenset(item.subjects), All((lost, item.applies))))
                about.append((item, True))
    bench = _Bench(rules.rules, about)
    program = Program(entries)
    program.run(World(case).rows(program.subjects), bench.take)
    findings = bench.findings(case.now)
    return Judgement(findings=findings, checklist=checklist.answer(rules.items, findings, bench.tallies, case))


class _Bench:
    """Takes hits as they come, keeps the best one of each meaning."""

    def __init__(self, rules: Sequence[Rule], about: Sequence[tuple[Item, bool]]) -> None:
        self._rules = rules
        self._about_service = [rule.about_service for rule in rules]
        self._ports = [rule.ports for rule in rules]
        self._about = about
        self._best: dict[Meaning, _Candidate] = {}
        self._flawed: set[tuple[str, str, int]] = set()
        self.tallies: dict[str, Tally] = {item.id: Tally() for item, _ in about}

    def take(self, hit: Hit) -> None:
        """Take one hit of the program."""
        number, row, certain = hit
        if number >= len(self._rules):
            self._tally(number - len(self._rules), row, certain)
            return
        rule = self._rules[number]
        meaning = self._meaning(number, row)
        candidate = _candidate(rule, row, certain=certain, about_service=self._about_service[number])
        if certain and "cve" in rule.tags and row.observation is not None:
            self._flawed.add(_spot(row))
        best = self._best.get(meaning)
        if best is None:
            self._best[meaning] = candidate
            return
        if candidate.certain and not best.certain:
            best.addresses.clear()
        elif best.certain and not candidate.certain:
            return
        candidate.addresses |= best.addresses
        best.addresses = candidate.addresses
        if candidate.rank > best.rank or (candidate.rank == best.rank and candidate.tie < best.tie):
            self._best[meaning] = candidate

    def _tally(self, index: int, row: Row, certain: bool) -> None:
        item, unasked = self._about[index]
        tally = self.tallies[item.id]
        if unasked:
            tally.unasked += 1
            tally.reason = min(filter(None, (tally.reason, row.reason)), default="")
        elif certain:
            tally.certain += 1
        else:
            tally.possible += 1

    def _meaning(self, number: int, row: Row) -> Meaning:
        rule, exposure = self._rules[number], row.exposure
        if row.subject == "asset" and row.asset is not None:
            return Meaning(rule=rule.id, subject=row.asset.id, kind="asset")
        if exposure is None:
            return Meaning(
                rule=rule.id,
                subject=row.observation.address if row.observation else "",
                transport=str(row.transport),
                port=words.shown_ports(row),
                kind="target",
            )
        return Meaning(
            rule=rule.id,
            subject=exposure.asset or exposure.native_id or exposure.address,
            transport=exposure.transport,
            port=self._port(number, row),
            kind="behind-front" if exposure.via == "behind-front" else row.subject,
        )

    def _port(self, number: int, row: Row) -> str:
        """The port that was asked, the one that the rule looks for, or `range`."""
        exposure = row.exposure
        if exposure is None or exposure.port_from is None:
            return ""
        low, high = exposure.port_from, exposure.port_to or exposure.port_from
        if self._about_service[number] and row.span is not None:
            low, high = row.span
        wanted = next((port for port in self._ports[number] if low <= port <= high), None)
        if wanted is not None:
            return str(wanted)
        return str(low) if low == high else "range"

    def findings(self, now: str) -> tuple[Finding, ...]:
        """Return the findings in the order of the ranking."""
        made = []
        for meaning, candidate in self._best.items():
            flawed = "cve" not in candidate.rule.tags and _spot(candidate.row) in self._flawed
            made.append(_finding(meaning, candidate, now, famous_flaw=flawed))
        made.sort(key=lambda one: (-one.score, SEVERITIES.index(one.severity), one.fingerprint))
        assert len({one.fingerprint for one in made}) == len(made), "two meanings share a fingerprint"  # noqa: S101
        return tuple(made)


def _spot(row: Row) -> tuple[str, str, int]:
    seen = row.observation
    return (seen.address, seen.transport, seen.port) if seen else ("", "", 0)


def _candidate(rule: Rule, row: Row, *, certain: bool, about_service: bool) -> _Candidate:
    exposure, observation = row.exposure, row.observation
    address = observation.address if observation else exposure.address if exposure else ""
    rank = (
        int(certain),
        int(certain and about_service and row.answer == "answered"),
        _BREADTH.get(str(row.breadth), 0),
        _ACCESS.get(str(row.access), 0),
    )
    tie = (address, row.span[0] if row.span else 0)
    return _Candidate(rule, about_service, row, certain, rank, tie, {address})


def _finding(meaning: Meaning, candidate: _Candidate, now: str, *, famous_flaw: bool) -> Finding:
    rule, row, certain = candidate.rule, candidate.row, candidate.certain
    verified = bool(candidate.rank[1])
    known = words.values(row)
    if "product" not in known:
        known["product"] = _product(rule)
    if meaning.port.isdecimal():
        known["port"] = meaning.port
    ranked = score(rule, row, certain=certain, verified=verified, famous_flaw=famous_flaw)
    exposure = row.exposure
    return Finding(
        fingerprint=fingerprint(meaning),
        rule=rule.id,
        title=("" if certain else "Undecided: ") + text.prose(rule.title, known),
        severity=rule.severity,
        truth="true" if certain else "unknown",
        verified=verified,
        score=ranked.points,
        score_factors=ranked.factors,
        asset=row.asset.id if row.asset else exposure.asset if exposure else "",
        exposure=exposure.id if exposure else "",
        address=candidate.tie[0],
        port=int(meaning.port) if meaning.port.isdecimal() else None,
        transport=meaning.transport,
        evidence=words.evidence(row, about_service=candidate.about_service),
        path=exposure.path if exposure else (),
        why=_why(candidate, known),
        fix=_fix(rule, known),
        references=rule.references,
        checklist=rule.checklist,
        first_seen=now,
    )


def _product(rule: Rule) -> str:
    """What a rule is about, for a title about something that did not say what it is."""
    return rule.services[0].capitalize() if len(rule.services) == 1 else "A service"


def _why(candidate: _Candidate, known: dict[str, str]) -> str:
    sentences = [text.prose(candidate.rule.why, known)]
    more = len(candidate.addresses) - 1
    if more:
        sentences.append(f"The same holds at {more} more address{'es' if more > 1 else ''}.")
    if not candidate.certain:
        sentences.append(words.undecided(candidate.row, about_service=candidate.about_service))
    return " ".join(sentences)


def _fix(rule: Rule, known: dict[str, str]) -> Fix:
    # A range would be read as a subtraction.
    exact = {name: value for name, value in known.items() if name != "port" or value.isdecimal()}
    commands = (text.command(command, known) for command in rule.fix.commands)
    return Fix(
        summary=text.prose(rule.fix.summary, known),
        commands=tuple(command for command in commands if command),
        terraform=text.terraform(rule.fix.terraform, exact),
    )
