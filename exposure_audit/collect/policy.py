"""What the collector must be allowed, printed from the same tables that it works through, and what it was not."""

from collections.abc import Iterable
from typing import Any

from exposure_audit.collect.aws.catalog import SERVICES
from exposure_audit.collect.catalog import CLOUDS
from exposure_audit.model.inventory import Coverage, Noun

UNKNOWN_WITHOUT: dict[Noun, str] = {
    "asset": "which assets there are and what state they are in",
    "network": "which networks block the internet",
    "subnet": "which subnet, and so which route and ACL, an interface is in",
    "interface": "which interfaces there are, and what filters them",
    "address": "which public addresses are in use",
    "filter": "which traffic the firewalls let through",
    "route-table": "whether answers find a way to the internet",
    "gateway": "whether a network has a gateway to the internet",
    "address-list": "which addresses the rules with prefix lists mean",
    "front": "which load balancers face the internet",
    "listener": "which ports the load balancers answer on",
    "target-group": "what is behind the load balancers",
    "door": "which managed databases can be reached",
}
"""The question that has no answer while a noun could not be read."""


def aws_policy() -> dict[str, Any]:
    """The least-privilege IAM policy: read-only actions, and no more than the catalog asks for.

    These actions support no resource-level permissions, so the resource is `*` (Service Authorization Reference).
    """
    actions = {call.permission for service in SERVICES.values() for call in service.calls if call.permission}
    statement = {"Sid": "ExposureAudit", "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def missing(coverage: Iterable[Coverage]) -> tuple[str, ...]:
    """One line for each row that is not ok: what happened where, the permission, and what is unknown without it."""
    permissions = {
        (name, call.name): call.permission
        for name, cloud in CLOUDS.items()
        for service in cloud.services.values()
        for call in service.calls
    }
    return tuple(
        _line(row, permissions.get((row.provider, row.call), "")) for row in coverage if row.status != "ok"
    )


def _line(row: Coverage, permission: str) -> str:
    parts = [f"{row.status}: {row.provider} {row.account} {row.region} {row.call}"]
    if row.detail:
        parts.append(row.detail)
    if row.status == "denied" and permission and permission not in row.detail:
        parts.append(f"allow {permission}")
    unknown = "; ".join(UNKNOWN_WITHOUT[noun] for noun in row.yields)
    parts.append(f"unknown without it: {unknown}" if unknown else "no answer depends on it")
    return " - ".join(parts)
