"""The counts that a person wants first, computed in one place."""

from collections import Counter
from collections.abc import Sequence

from exposure_audit.model.coverage import gaps
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.finding import SEVERITIES, ChecklistItem, Finding
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.observation import Observation
from exposure_audit.model.report import Summary


def summarise(
    inventory: Inventory,
    exposures: Sequence[Exposure],
    observations: Sequence[Observation],
    findings: Sequence[Finding],
    checklist: Sequence[ChecklistItem],
) -> Summary:
    """Count. A finding that is locked or suppressed is not counted; an undecided one is counted apart."""
    reachable = [exposure for exposure in exposures if not exposure.dormant]
    counted = [finding for finding in findings if finding.status in {"new", "known"}]
    by_severity = Counter(finding.severity for finding in counted if finding.truth == "true")
    return Summary(
        assets=len(inventory.assets),
        exposures=len(reachable),
        exposed_assets=len({exposure.asset or exposure.address for exposure in reachable}),
        dormant=len(exposures) - len(reachable),
        observations=_sorted(Counter(one.verdict for one in observations)),
        findings={severity: by_severity[severity] for severity in SEVERITIES},
        unknown=sum(finding.truth == "unknown" for finding in counted),
        checklist=_sorted(Counter(item.status for item in checklist)),
        coverage_gaps=len(gaps(inventory.coverage)),
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}
