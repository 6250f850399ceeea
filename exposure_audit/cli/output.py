"""Data for standard output or a file, and small tables for people."""

import sys
from collections.abc import Sequence
from pathlib import Path

from exposure_audit.errors import UsageError
from exposure_audit.model import wire
from exposure_audit.model.plan import ProbePlan
from exposure_audit.report.tame import tame


def save(name: str, data: bytes) -> None:
    """Write to a file, whole or not at all, or to standard output for `-`. Raises UsageError."""
    if name == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        wire.write_atomic(Path(name), data)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=name) from None


def columns(rows: Sequence[tuple[str, ...]], *, gap: str = "  ") -> str:
    """Left-aligned columns in plain text; the last one is as long as it wants."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = [
        gap.join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1])) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def plan_table(plan: ProbePlan) -> bytes:
    """The plan for people: what would be asked by whom, and what is left out and why."""
    rows = [("ADDRESS", "PORT", "PROBES")]
    for task in plan.tasks:
        probes = ", ".join(task.probes[:3]) + (f" and {len(task.probes) - 3} more" if len(task.probes) > 3 else "")
        rows.append((tame(task.address), f"{task.port}/{task.transport}", probes))
    text = columns(rows)
    if plan.exclusions:
        left_out = (
            (f"  {tame(one.address)}", _span(one.port_from, one.port_to, one.transport), one.reason)
            for one in plan.exclusions
        )
        text += "\nNot asked:\n" + columns([*dict.fromkeys(left_out)])
    addresses = len({task.address for task in plan.tasks})
    budget = plan.budget
    text += (
        f"\n{len(plan.tasks)} ports of {addresses} addresses; at most {budget.per_address_rate:g} connections a "
        f"second to one address, {budget.global_rate:g} in all, {budget.total_seconds:g} s and "
        f"{budget.max_bytes} bytes a conversation.\n"
    )
    return text.encode()


def _span(low: int | None, high: int | None, transport: str) -> str:
    if low is None:
        return transport
    return f"{low}/{transport}" if low == high else f"{low}-{high}/{transport}"
