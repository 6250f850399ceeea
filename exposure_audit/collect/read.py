"""From a snapshot folder to the inventory: pure reading, no network, no SDK.

What the analysis needs and does not find, or cannot understand, becomes a coverage row that names the file and the
nouns that are unknown without it.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

import msgspec

from exposure_audit.collect.catalog import CLOUDS
from exposure_audit.collect.contract import Call, Place, Service
from exposure_audit.collect.snapshot import (
    MANIFEST,
    Manifest,
    SnapshotAnswers,
    places,
    read_manifest,
    sort_coverage,
)
from exposure_audit.errors import InputFileError
from exposure_audit.model.inventory import Coverage, Inventory, Noun

_LISTS = (
    "assets",
    "networks",
    "subnets",
    "interfaces",
    "filters",
    "address_lists",
    "route_tables",
    "gateways",
    "fronts",
    "doors",
    "idle_addresses",
)
_Rows = dict[tuple[str, str, str, str], Coverage]


def read_inventory(folder: Path) -> Inventory:
    """Read a snapshot folder, filled by us or by hand.

    Raises InputFileError when there is no snapshot at all, or one of a version that we do not understand.
    """
    manifest, trouble = read_manifest(folder)
    there = [(name, place) for name in CLOUDS for place in places(folder, name)]
    if not there and manifest is None:
        raise InputFileError(
            "is no snapshot: it holds neither answers nor a manifest",
            where=str(folder),
            mend="give the folder that `exposure-audit collect` filled",
        )
    parts: list[Inventory] = []
    rows = _manifest_rows(manifest)
    found: list[Coverage] = []
    for name, place in there:
        answers = SnapshotAnswers(folder, place)
        services = tuple(CLOUDS[name].services.values())
        parts += [service.parse(answers) for service in services]
        found += _coverage(answers, services, rows)
    found += rows.values()
    if trouble:
        found.append(_broken_manifest(trouble))
    return _merge(parts, found)


def _manifest_rows(manifest: Manifest | None) -> _Rows:
    rows = manifest.coverage if manifest else ()
    return {(row.provider, row.account, row.region, row.call): row for row in rows}


def _broken_manifest(trouble: str) -> Coverage:
    return Coverage(
        provider="snapshot",
        account="unknown",
        region="global",
        call=MANIFEST,
        status="failed",
        detail=f"{trouble}; which calls failed is unknown",
        yields=get_args(Noun),
    )


def _coverage(answers: SnapshotAnswers, services: Iterable[Service], rows: _Rows) -> Iterator[Coverage]:
    """A row for each call that belongs to the place; takes the manifest's word out of `rows`."""
    place = answers.place
    scope = "global" if place.region == "global" else "region"
    for call in (call for service in services for call in service.calls):
        if call.scope != scope:
            continue
        said = rows.pop((place.provider, place.account, place.region, call.name), None)
        row = _row(answers, call, said)
        if row and row.status != "ok" and call.name in answers.notes:
            row = msgspec.structs.replace(row, detail=f"{row.detail}; {answers.notes[call.name]}")
        if row:
            yield row


def _row(answers: SnapshotAnswers, call: Call, said: Coverage | None) -> Coverage | None:
    """What the file itself shows comes first, then what the manifest says; None for an optional file not there."""
    problem = answers.problems.get(call.name)
    if problem:
        return make_row(answers.place, call, "failed", problem)
    missing = unanswered(answers, call) if call.per else []
    if missing == [] and (call.per or answers.has(call.name)):
        return make_row(answers.place, call, "ok")
    if said and said.status != "ok":
        return said
    if call.per:
        return _incomplete(answers, call, missing)
    if said:
        return make_row(answers.place, call, "failed", f"{_file(answers, call)} is gone; the manifest says ok")
    return None if call.optional else make_row(answers.place, call, "skipped", f"no {_file(answers, call)}")


def _file(answers: SnapshotAnswers, call: Call) -> str:
    path = answers.path(call.name)
    return "/".join(path.parts[-4:])


def _incomplete(answers: SnapshotAnswers, call: Call, missing: list[str] | None) -> Coverage:
    if missing is None:
        needs = ", ".join(call.per.needs) if call.per else ""
        return make_row(answers.place, call, "skipped", f"which resources to ask about is unknown without {needs}")
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    detail = f"{_file(answers, call)} lacks {', '.join(missing[:3])}{more}"
    return make_row(answers.place, call, "failed" if answers.has(call.name) else "skipped", detail)


def unanswered(answers: SnapshotAnswers, call: Call) -> list[str] | None:
    """The resources that a per-resource call was not answered for; None when nobody knows the resources."""
    wanted = call.per.parameters(answers) if call.per else {}
    if wanted is None:
        return None
    held = answers.each(call.name, dict[str, Any]) or {}
    return sorted(wanted.keys() - held.keys())


def make_row(place: Place, call: Call, status: str, detail: str = "") -> Coverage:
    """A coverage row of a call; what it yields is said whatever the status."""
    return Coverage(
        provider=place.provider,
        account=place.account,
        region=place.region,
        call=call.name,
        status=status,  # type: ignore[arg-type]
        detail=detail,
        yields=call.yields,
    )


def _merge(parts: list[Inventory], coverage: list[Coverage]) -> Inventory:
    lists = {
        name: tuple(sorted((noun for part in parts for noun in getattr(part, name)), key=attrgetter("id")))
        for name in _LISTS
    }
    return Inventory(**lists, coverage=sort_coverage(coverage))
