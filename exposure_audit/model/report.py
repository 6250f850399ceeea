"""The result of a run: the JSON report is exactly these structures."""

from typing import Literal

import msgspec

from exposure_audit.model.exposure import Exposure
from exposure_audit.model.finding import ChecklistItem, Finding, Severity
from exposure_audit.model.inventory import Asset, Coverage
from exposure_audit.model.observation import Observation

SCHEMA_VERSION = "1"
FailOn = Literal["critical", "high", "medium", "low", "never"]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote the report."""

    name: str = "exposure-audit"
    version: str


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """When, from where and of what."""

    id: str
    started_at: str
    finished_at: str
    vantage: str
    """From where was probed: a name the user gave, or `local`; `none` when nothing was probed."""
    scope: tuple[str, ...] = ()
    """What was asked for: accounts, regions, snapshot, targets."""
    complete: bool
    """Everything asked for was looked at."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The counts a person wants first."""

    assets: int
    exposures: int
    """Reachable, dormant ones not counted."""
    exposed_assets: int
    dormant: int
    observations: dict[str, int]
    """By verdict."""
    findings: dict[Severity, int]
    """Of truth `true`, neither locked nor suppressed."""
    unknown: int
    """Findings that could not be decided."""
    checklist: dict[str, int]
    coverage_gaps: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says."""

    passed: bool
    complete: bool
    fail_on: FailOn
    reasons: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. Lists are sorted: assets, exposures and coverage by identity, findings by rank."""

    schema_version: str = SCHEMA_VERSION
    tool: Tool
    scan: Scan
    summary: Summary
    coverage: tuple[Coverage, ...]
    assets: tuple[Asset, ...]
    exposures: tuple[Exposure, ...]
    observations: tuple[Observation, ...]
    findings: tuple[Finding, ...]
    checklist: tuple[ChecklistItem, ...]
    gate: Decision
