"""Whether what is about to be asked still belongs to us, and whether a snapshot is as new as it looks."""

import time
from datetime import datetime
from pathlib import Path

import msgspec

from exposure_audit.errors import UsageError
from exposure_audit.model.coverage import gaps
from exposure_audit.model.plan import ProbePlan


def cut_to_owned(plan: ProbePlan, snapshot: Path, *, max_age_hours: float) -> ProbePlan:
    """Check ownership again against the snapshot, just before the packet.

    Addresses change hands within hours: a snapshot older than the limit proves nothing any more.
    Raises UsageError when it is too old.
    """
    from exposure_audit.collect.read import read_inventory
    from exposure_audit.plan.scope import owned, within

    taken = snapshot_time(snapshot)
    age = (time.time() - taken) / 3600
    if age > max_age_hours:
        raise UsageError(
            f"the snapshot is {age:.0f} hours old: its addresses may belong to others now",
            where=str(snapshot),
            mend="collect again, or say --max-age HOURS if you know better",
        )
    return msgspec.structs.replace(plan, scope=within(plan.scope, owned(read_inventory(snapshot))))


def snapshot_time(folder: Path) -> float:
    """When the oldest answer of a snapshot was taken, in seconds since the epoch.

    The manifest says when it was begun: a collection that went on later holds answers of both days. A folder
    filled by hand has no manifest; there its oldest file speaks.
    """
    from exposure_audit.collect.snapshot import read_manifest

    manifest, _ = read_manifest(folder)
    if manifest:
        return datetime.fromisoformat(manifest.started_at).timestamp()
    times = [path.stat().st_mtime for path in folder.rglob("*.json")]
    if not times:
        raise UsageError("holds no answers", where=str(folder), mend="give a snapshot folder")
    return min(times)


def whole_since(folder: Path) -> str:
    """When the collection of a whole snapshot was begun; empty when it is not finished or has gaps."""
    from exposure_audit.collect.snapshot import read_manifest

    manifest, _ = read_manifest(folder)
    return manifest.started_at if manifest and manifest.finished_at and not gaps(manifest.coverage) else ""


def refuse_finished(folder: Path) -> None:
    """Raise UsageError when a folder holds a whole snapshot: its old answers would pass for new ones."""
    if since := whole_since(folder):
        raise UsageError(f"holds a whole snapshot of {since}", where=str(folder), mend="give another folder")
