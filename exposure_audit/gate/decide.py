"""The gate: may this go to production, and was everything looked at that was asked for?

Two questions, answered apart. `passed`: no finding that is true, at or above the level, and neither locked nor
suppressed. `complete`: no gap in the coverage, no port that we failed to ask, nothing left out that should have
been asked, and no finding left undecided. Silence (`filtered`) is an answer: the port was asked within its budget.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from exposure_audit.model.coverage import gaps
from exposure_audit.model.finding import SEVERITIES, Finding
from exposure_audit.model.inventory import Coverage
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Exclusion
from exposure_audit.model.report import Decision, FailOn

PASSED, FAILED, INCOMPLETE = 0, 1, 3
_SHOWN = 3


class _Case(msgspec.Struct, frozen=True):
    """What was gathered, ready for looking up."""

    left_out: frozenset[str]
    """Exposures of which a part is not asked by the user's own decision, or by a flag that would lift it."""
    seen: dict[tuple[str, int | None, str], str]
    """Verdict by address, port and transport."""
    probed: bool


def decide(
    findings: Sequence[Finding],
    *,
    coverage: Sequence[Coverage] = (),
    exclusions: Sequence[Exclusion] = (),
    observations: Sequence[Observation] = (),
    fail_on: FailOn,
    allow_incomplete: bool = False,
    probed: bool = True,
) -> Decision:
    """Decide, and say why in plain words, the most important reason first.

    `findings` come in the order of the ranking: the first ones are named. `probed` is False when the run was asked
    to send nothing: then what only a probe could tell was not asked for. Pure.
    """
    counted = [finding for finding in findings if finding.status in {"new", "known"}]
    against = [finding for finding in counted if finding.truth == "true" and _at_or_above(finding, fail_on)]
    case = _Case(
        left_out=frozenset(one.exposure for one in exclusions if one.exposure and not one.incomplete),
        seen={(one.address, one.port, one.transport): one.verdict for one in observations},
        probed=probed,
    )
    missing = [
        *_nothing(coverage, exclusions, observations),
        *_unanswered(gaps(coverage)),
        *_unasked([one for one in observations if one.verdict == "error"]),
        *_omitted([one for one in exclusions if one.incomplete]),
        *_undecided([one for one in counted if one.truth == "unknown" and not _looked_at(one, case)]),
    ]
    reasons = [_failed(against, fail_on) if against else _passed(fail_on), *missing]
    if missing and allow_incomplete:
        reasons.append("incompleteness is allowed (--allow-incomplete)")
    return Decision(passed=not against, complete=not missing, fail_on=fail_on, reasons=tuple(reasons))


def exit_code(decision: Decision, *, allow_incomplete: bool) -> int:
    """Return 1 when the gate failed, else 3 when something was not looked at and that is not allowed, else 0."""
    if not decision.passed:
        return FAILED
    return PASSED if decision.complete or allow_incomplete else INCOMPLETE


def _at_or_above(finding: Finding, fail_on: FailOn) -> bool:
    return fail_on != "never" and SEVERITIES.index(finding.severity) <= SEVERITIES.index(fail_on)


def _looked_at(finding: Finding, case: _Case) -> bool:
    """Say whether an undecided finding is undecided although everything asked for was done.

    That holds when the path is certain and the port was silent, or was left out by decision, or when nothing was
    to be probed at all. An uncertain path is never excused.
    """
    if not finding.exposure or any(hop.truth != "true" for hop in finding.path):
        return False
    verdict = case.seen.get((finding.address, finding.port, finding.transport), "")
    if verdict:
        return verdict == "filtered"
    return not case.probed or finding.exposure in case.left_out


# --- reasons -------------------------------------------------------------------------------------------------


def _passed(fail_on: FailOn) -> str:
    if fail_on == "never":
        return "no finding fails the gate (--fail-on never)"
    return f"no finding at or above {fail_on}"


def _failed(against: Sequence[Finding], fail_on: FailOn) -> str:
    by_severity = Counter(finding.severity for finding in against)
    parts = [f"{by_severity[severity]} {severity}" for severity in SEVERITIES if by_severity[severity]]
    noun = _count(len(against), "finding", "findings")
    return f"{noun} at or above {fail_on} ({', '.join(parts)}): {_named(finding.title for finding in against)}"


def _nothing(
    coverage: Sequence[Coverage], exclusions: Sequence[Exclusion], observations: Sequence[Observation]
) -> list[str]:
    """An empty scope must not look like a clean one."""
    if exclusions or observations or any(row.status == "ok" for row in coverage):
        return []
    return ["nothing was looked at: no call was answered and no address was asked"]


def _unanswered(rows: Sequence[Coverage]) -> list[str]:
    if not rows:
        return []
    places: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        places.setdefault((row.call, row.status), []).append(row.region)
    groups = sorted(places.items(), key=lambda group: (-len(group[1]), group[0]))
    names = (
        f"{call} {status} in {regions[0] if len(regions) == 1 else f'{len(regions)} places'}"
        for (call, status), regions in groups
    )
    return [f"{_count(len(rows), 'call was', 'calls were')} not answered: {_named(names)}"]


def _unasked(failed: Sequence[Observation]) -> list[str]:
    if not failed:
        return []
    names = (f"{_spot(one)} ({one.reason or 'no reason given'})" for one in failed)
    return [f"{_count(len(failed), 'port', 'ports')} could not be asked: {_named(names)}"]


def _omitted(exclusions: Sequence[Exclusion]) -> list[str]:
    if not exclusions:
        return []
    names = (f"{one.address} ({one.reason})" for one in exclusions)
    noun = _count(len(exclusions), "reachable range was", "reachable ranges were")
    return [f"{noun} left out: {_named(names)}"]


def _undecided(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    noun = _count(len(findings), "finding", "findings")
    return [
        f"{noun} could not be decided: {_named(finding.title.removeprefix('Undecided: ') for finding in findings)}"
    ]


def _spot(one: Observation) -> str:
    host = f"[{one.address}]" if ":" in one.address else one.address
    return f"{host}:{one.port}/{one.transport}"


def _named(names: Iterable[str]) -> str:
    """The worst three, and how many more."""
    unique = list(dict.fromkeys(names))
    more = len(unique) - _SHOWN
    return "; ".join(unique[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
