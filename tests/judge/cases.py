"""Short ways to write exposures, observations and cases."""

from typing import Any

from shipped_rules import USUAL_PORTS, shipped

from exposure_audit.judge.run import Case, Judgement, judge
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.finding import ChecklistItem, Finding
from exposure_audit.model.inventory import Asset, Coverage, Inventory
from exposure_audit.model.observation import Observation

ASSET = "aws:123456789012:eu-west-1:instance/i-1"
NOW = "2026-11-24T12:00:00Z"
GROUP = Hop(gate="security-group", native_id="sg-1", rule="sgr-1", text="allow tcp 6379 from 0.0.0.0/0")


def an_asset(name: str = ASSET, **changes: Any) -> Asset:
    native = name.rpartition("/")[2]
    given: dict[str, Any] = {"kind": "instance", "native_id": native, "name": "cache", **changes}
    return Asset(id=name, provider="aws", account="123456789012", region="eu-west-1", **given)


def an_exposure(port: int | None = 6379, to: int | None = None, **changes: Any) -> Exposure:
    given: dict[str, Any] = {
        "id": f"exp-{port}",
        "asset": ASSET,
        "native_id": "eni-1",
        "address": "192.0.2.1",
        "family": "ipv4",
        "transport": "tcp",
        "breadth": "internet",
        "sources": ("0.0.0.0/0",),
        "path": (GROUP,),
        **changes,
    }
    return Exposure(port_from=port, port_to=port if to is None else to, **given)


def seen(port: int = 6379, **changes: Any) -> Observation:
    given: dict[str, Any] = {
        "address": "192.0.2.1",
        "transport": "tcp",
        "probe": "redis",
        "service": "redis",
        "product": "Redis",
        "version": "8.4.0",
        "verdict": "unauthenticated",
        **changes,
    }
    return Observation(port=port, **given)


def nothing_came(port: int, verdict: str, reason: str = "") -> Observation:
    return seen(port, verdict=verdict, service="", product="", version="", probe="", reason=reason)


ALL_READ = Coverage(
    provider="aws", account="123456789012", region="eu-west-1", call="ec2.describe_instances", status="ok"
)


def a_case(*exposures: Exposure, **changes: Any) -> Case:
    given: dict[str, Any] = {
        "inventory": Inventory(assets=(an_asset(),), coverage=(ALL_READ,)),
        "probed": True,
        "now": NOW,
        "usual_ports": USUAL_PORTS,
        **changes,
    }
    return Case(exposures=exposures, **given)


def judged(*exposures: Exposure, **changes: Any) -> Judgement:
    return judge(a_case(*exposures, **changes), shipped())


def of_rule(judgement: Judgement, rule: str) -> tuple[Finding, ...]:
    return tuple(finding for finding in judgement.findings if finding.rule == rule)


def item(judgement: Judgement, name: str) -> ChecklistItem:
    return next(one for one in judgement.checklist if one.id == name)
