"""What is wrong by a rule, how it ranks, and the checklist that follows."""

from typing import Literal

import msgspec

from exposure_audit.model.exposure import Hop

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
"""Worst first."""
Status = Literal["new", "known", "locked", "suppressed"]
ChecklistStatus = Literal["pass", "fail", "unknown", "not-applicable", "attested"]


class ScoreFactor(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for the rank, in points."""

    name: str
    points: int
    why: str


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """How to mend it."""

    summary: str
    commands: tuple[str, ...] = ()
    terraform: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds for a subject, or that could not be decided for it (`truth` unknown)."""

    fingerprint: str
    rule: str
    title: str
    severity: Severity
    truth: Literal["true", "unknown"] = "true"
    verified: bool = False
    """A probe proved it."""
    score: int = 0
    score_factors: tuple[ScoreFactor, ...] = ()
    status: Status = "new"
    asset: str = ""
    exposure: str = ""
    address: str = ""
    port: int | None = None
    transport: str = ""
    evidence: str = ""
    path: tuple[Hop, ...] = ()
    why: str = ""
    fix: Fix = Fix(summary="")
    references: tuple[str, ...] = ()
    checklist: str = ""
    first_seen: str = ""


class ChecklistItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a person ticks before scaling up."""

    id: str
    category: str
    title: str
    status: ChecklistStatus
    why: str = ""
    findings: tuple[str, ...] = ()
    """Fingerprints, in the order of the ranking."""
