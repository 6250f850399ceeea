"""Which coverage rows mean that something asked for was not looked at."""

from collections.abc import Iterable

from exposure_audit.model.inventory import Coverage

EXCLUDED = "excluded by "
"""The detail of a `skipped` row begins with this when the user left it out on purpose."""


def gaps(rows: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Return the rows that are gaps, in their order.

    `denied`, `throttled` and `failed` always are. `skipped` is when something depends on it and the user did not
    exclude it: a file that a snapshot lacks, a region named by the user that is not enabled. A region that nobody
    enabled holds nothing. `unsupported` is none where another call of the same place was answered, since what
    does not exist there exposes nothing; where nothing was answered it is one, because a name server that is down
    looks the same.
    """
    rows = tuple(rows)
    alive = {_place(row) for row in rows if row.status == "ok"}
    return tuple(row for row in rows if _is_gap(row, alive))


def _place(row: Coverage) -> tuple[str, str, str]:
    return row.provider, row.account, row.region


def _is_gap(row: Coverage, alive: set[tuple[str, str, str]]) -> bool:
    if row.status == "skipped":
        return bool(row.yields) and not row.detail.startswith(EXCLUDED)
    if row.status == "unsupported":
        return _place(row) not in alive
    return row.status != "ok"
