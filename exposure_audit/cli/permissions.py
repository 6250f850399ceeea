"""Turns coverage rows into what a person does about them."""

from collections.abc import Sequence

from exposure_audit.collect.policy import missing
from exposure_audit.model.inventory import Coverage
from exposure_audit.report.tame import tame


def diagnosis(coverage: Sequence[Coverage]) -> str:
    """One block a failed call: what happened where, the permission, and what is unknown without it."""
    gaps = missing(coverage)
    if not gaps:
        return f"All {len(coverage)} calls were answered: nothing is missing.\n"
    return "".join(f"{tame(line)}\n" for line in gaps)
