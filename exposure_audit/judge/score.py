"""The rank of a finding: 0 to 100 points, each with its reason.

Severity gives the floor: critical 80, high 60, medium 40, low 20, info 0. What is known of this very case adds up
to 20: what a stranger may do, how much of the internet gets in, whether path and answer are proven, what the
service holds, whether it is production, whether its version has a famous flaw. So the score never contradicts the
severity: the worst case of one band reaches the floor of the next, and there severity breaks the tie. What could
not be decided counts a quarter: an undecided critical stands beside the proven lows.
"""

import msgspec

from exposure_audit.judge.rows import Row
from exposure_audit.judge.rule import Rule
from exposure_audit.model.finding import ScoreFactor, Severity
from exposure_audit.model.inventory import Asset
from exposure_audit.model.observation import Access, Observation

FLOOR: dict[Severity, int] = {"critical": 80, "high": 60, "medium": 40, "low": 20, "info": 0}

_ACCESS: dict[Access, int] = {"execute": 5, "write": 4, "read": 3, "metadata": 2, "none": 0}
_MAY: dict[Access, str] = {
    "execute": "a stranger may run commands",
    "write": "a stranger may change data",
    "read": "a stranger may read data",
    "metadata": "a stranger may read facts about the server",
    "none": "",
}
_BREADTH = {"internet": (5, "the whole internet gets in"), "wide": (3, "more than 16 million addresses get in")}
_PRODUCTION_TAGS = ("env", "environment", "stage", "tier")
_PRODUCTION = {"live", "prd", "prod", "production"}
# Details that count contents, as the probes name them.
_COUNTS = ("curr_items", "documents", "keys", "tables")


class Score(msgspec.Struct, frozen=True):
    """Points and their reasons; the factors add up to the points."""

    points: int
    factors: tuple[ScoreFactor, ...]


def score(rule: Rule, row: Row, *, certain: bool, verified: bool, famous_flaw: bool) -> Score:
    """Rank one finding; see the module for the weights."""
    factors = [ScoreFactor(name="severity", points=FLOOR[rule.severity], why=f"{rule.severity} by its rule")]
    answered = row.observation if row.answer == "answered" else None
    factors += _use(answered)
    factors += _reach(row)
    if verified:
        factors.append(ScoreFactor(name="verified", points=3, why="a probe saw it"))
    factors += _holdings(rule, row.asset, answered)
    if famous_flaw:
        factors.append(ScoreFactor(name="known flaw", points=1, why="its version is in the range of a famous flaw"))
    total = sum(factor.points for factor in factors)
    if not certain:
        lost = total // 4 - total
        factors.append(ScoreFactor(name="undecided", points=lost, why="not decided: counts a quarter"))
        total += lost
    return Score(total, tuple(factors))


def _use(observation: Observation | None) -> list[ScoreFactor]:
    if observation is None:
        return []
    if observation.verdict == "amplifier" and observation.amplification is not None:
        factor = observation.amplification.factor
        points = 5 if factor >= 100 else 3 if factor >= 10 else 1
        return [ScoreFactor(name="amplification", points=points, why=f"answers with {factor} times the bytes")]
    points = _ACCESS[observation.access]
    return [ScoreFactor(name="access", points=points, why=_MAY[observation.access])] if points else []


def _reach(row: Row) -> list[ScoreFactor]:
    if row.exposure is None:
        return []
    found = []
    if row.exposure.breadth in _BREADTH:
        points, why = _BREADTH[row.exposure.breadth]
        found.append(ScoreFactor(name="breadth", points=points, why=why))
    if row.exposure.truth == "true" and not row.exposure.dormant:
        found.append(ScoreFactor(name="path", points=2, why="every gate on the path was read"))
    return found


def _holdings(rule: Rule, asset: Asset | None, observation: Observation | None) -> list[ScoreFactor]:
    found = []
    if "data-store" in rule.tags:
        found.append(ScoreFactor(name="data", points=1, why="it is a data store"))
    counted = 0 if observation is None else max((_count(observation, name) for name in _COUNTS), default=0)
    if counted:
        found.append(ScoreFactor(name="contents", points=1, why=f"it holds something: {counted} counted"))
    for tag in _PRODUCTION_TAGS if asset else ():
        value = asset.tags.get(tag, asset.tags.get(tag.capitalize(), "")) if asset else ""
        if value.lower() in _PRODUCTION:
            found.append(ScoreFactor(name="production", points=2, why=f"tag {tag} says so"))
            break
    return found


def _count(observation: Observation, name: str) -> int:
    value = observation.details.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
