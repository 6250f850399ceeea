"""Answers the checklist: the lines that a person ticks before scaling up.

In this order: `fail` when a finding of the item is true; `unknown` when one is undecided, or when something that
the item needs was not read or not asked; `not-applicable` when there is nothing of its kind; else `pass`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from exposure_audit.judge.case import Case
from exposure_audit.judge.rule import Item
from exposure_audit.model.finding import SEVERITIES, ChecklistItem, ChecklistStatus, Finding
from exposure_audit.model.inventory import Coverage


class Tally(msgspec.Struct):
    """How many subjects an item is about, and what was not asked of them."""

    certain: int = 0
    possible: int = 0
    unasked: int = 0
    reason: str = ""

    @property
    def total(self) -> int:
        """All that it is or may be about."""
        return self.certain + self.possible


def answer(
    items: Iterable[Item], findings: Sequence[Finding], tallies: Mapping[str, Tally], case: Case
) -> tuple[ChecklistItem, ...]:
    """Answer every item, in the order of the checklist; `findings` are in the order of the ranking."""
    by_item: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_item[finding.checklist].append(finding)
    answered = []
    for item in items:
        mine = by_item.get(item.id, [])
        status, why = _status(item, mine, tallies.get(item.id, Tally()), case)
        answered.append(
            ChecklistItem(
                id=item.id,
                category=item.category,
                title=item.title,
                status=status,
                why=why,
                findings=tuple(finding.fingerprint for finding in mine),
            )
        )
    return tuple(answered)


def _status(item: Item, findings: Sequence[Finding], tally: Tally, case: Case) -> tuple[ChecklistStatus, str]:
    against = [finding for finding in findings if finding.truth == "true"]
    if against:
        worst = min(against, key=lambda finding: SEVERITIES.index(finding.severity))
        return "fail", f"{_count(len(against), 'finding')}, the worst {worst.severity}: {worst.title}"
    if findings:
        first = findings[0].why.rpartition("Undecided: ")[2]
        return "unknown", f"{_count(len(findings), 'case')} undecided: {first}"
    missing = _missing(item, tally, case)
    if missing:
        return "unknown", missing
    if item.applies is not None and not tally.total:
        return "not-applicable", "nothing of this kind was found"
    if item.applies is not None:
        return "pass", f"{_count(tally.total, 'case')} looked at, none is against it"
    return "pass", _all_clear(item, case)


def _all_clear(item: Item, case: Case) -> str:
    if item.settled_by == "coverage":
        return f"{_count(len(case.inventory.coverage), 'call')} made, none failed"
    return "nothing is against it"


def _missing(item: Item, tally: Tally, case: Case) -> str:
    """Say what stands between this item and a pass; empty when nothing does."""
    coverage = case.inventory.coverage
    wanted = set(item.needs) - {"probing"}
    if not coverage and (wanted or item.settled_by == "coverage"):
        return "no inventory was read"
    gaps = [
        row
        for row in coverage
        if row.status != "ok" and (item.settled_by == "coverage" or wanted.intersection(row.yields))
    ]
    if gaps:
        return f"{_count(len(gaps), 'call')} not answered: {_gap(gaps[0])}{' and others' if len(gaps) > 1 else ''}"
    if tally.unasked:
        return f"{_count(tally.unasked, 'case')} without an answer: {tally.reason or 'none came within the budget'}"
    return ""


def _gap(row: Coverage) -> str:
    return f"{row.call} in {row.region} ({row.status})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
