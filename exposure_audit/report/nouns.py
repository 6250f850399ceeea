"""What a format prints. Every text in here is tame, counted and in words; a format only lays it out."""

from typing import Literal

import msgspec

from exposure_audit.model.finding import ChecklistStatus, Severity, Status
from exposure_audit.model.report import Report

Level = Literal["open", "unknown", "guarded", "silent"]
"""Worst first. `open`: a stranger gets something. `unknown`: nobody knows. `guarded`: it answers and refuses, or
shows only what is public. `silent`: closed, or no answer."""
LEVEL_WORDS: dict[Level, str] = {"open": "OPEN", "unknown": "NOT KNOWN", "guarded": "GUARDED", "silent": "SILENT"}
LEVELS: tuple[Level, ...] = ("open", "unknown", "guarded", "silent")


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One gate on the way in."""

    gate: str
    """`security group`."""
    name: str
    """Its native id, short enough to read."""
    native_id: str
    rule: str
    text: str
    doubt: str
    """Empty when it is certain; else why it is not."""

    @property
    def named(self) -> str:
        """Name and rule; the rule alone when it says the name itself."""
        return self.rule if self.rule.startswith(self.name) else " ".join(filter(None, (self.name, self.rule)))


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a port said."""

    where: str
    """`203.0.113.10:6379/tcp`, with `, TLS`."""
    name: str
    """`Redis 7.0.15`; empty when nothing was recognised."""
    level: Level
    word: str
    """The verdict as a person would say it."""
    verdict: str
    proof: str
    """What it said, redacted; or why we know no more."""


class Way(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who can reach what: an exposure, with the answers of its ports."""

    id: str
    who: str
    where: str
    steps: tuple[Step, ...]
    """Each gate once, though it may be passed twice: in, and out with the answer."""
    answers: tuple[Answer, ...]
    """Worst first; empty when nothing was asked there."""
    notes: tuple[str, ...]
    unasked: str
    """Which part of it nobody asked, and why; empty when all of it was. The last of the notes says the same."""
    level: Level


class Branch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where one way leaves the gates that it shares with others."""

    steps: tuple[Step, ...]
    way: Way


class Bundle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Ways that begin alike: the same sources through the same gates, all but the last."""

    who: str
    steps: tuple[Step, ...]
    branches: tuple[Branch, ...]


class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An exposed asset (or an address that a target file named), with all ways to it, worst first."""

    id: str
    label: str
    native_id: str
    kind: str
    place: str
    """`aws 111122223333 eu-central-1`."""
    tags: str
    ways: tuple[Way, ...]
    bundles: tuple[Bundle, ...]
    """The same ways, drawn together where they begin alike."""
    level: Level
    severity: Severity | Literal[""]
    """Of its worst finding that counts; empty when there is none."""

    @property
    def loud(self) -> bool:
        """Whether a person must look at it: a stranger gets something, nobody knows, or a finding counts."""
        return self.level in {"open", "unknown"} or bool(self.severity)


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A finding."""

    fingerprint: str
    short: str
    """The beginning of the fingerprint that no other finding of the report shares."""
    rule: str
    title: str
    severity: Severity
    undecided: bool
    verified: bool
    """A probe saw it."""
    proof_word: str
    """`proven by a probe`, `by its rules`, `undecided`."""
    score: int
    factors: tuple[tuple[str, int, str], ...]
    """Name, points, why."""
    status: Status
    counts: bool
    """Neither locked nor suppressed."""
    label: str
    asset: str
    place: str
    where: str
    evidence: str
    steps: tuple[Step, ...]
    why: str
    mend: str
    commands: tuple[str, ...]
    terraform: str
    references: tuple[str, ...]
    checklist: str
    """Title of the checklist line."""
    first_seen: str


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of the checklist."""

    id: str
    title: str
    status: ChecklistStatus
    word: str
    why: str
    findings: tuple[str, ...]
    """Fingerprints."""


class Category(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The lines of one category, in the order of the checklist."""

    name: str
    lines: tuple[Line, ...]


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that was not looked at, once for all places where that is so."""

    what: str
    """The call, or what is reachable."""
    status: str
    count: int
    places: str
    """The first three, and how many more."""
    detail: str
    unknown: str
    """What is unknown because of it."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The first line of every report."""

    level: Literal["passed", "incomplete", "failed"]
    word: str
    sentence: str
    reasons: tuple[str, ...]


class View(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The whole report as people read it, and `report`, the tamed original, as programs do."""

    report: Report
    verdict: Verdict
    facts: tuple[tuple[str, str], ...]
    """Scan, time, vantage, scope, tool: label and value."""
    numbers: tuple[tuple[str, int], ...]
    """What was counted, in the order of interest."""
    severities: tuple[tuple[Severity, int], ...]
    """Findings that count, worst first, zeros included."""
    subjects: tuple[Subject, ...]
    dormant: tuple[Way, ...]
    findings: tuple[Found, ...]
    categories: tuple[Category, ...]
    checked: tuple[tuple[str, int], ...]
    """Checklist lines by word."""
    gaps: tuple[Gap, ...]
