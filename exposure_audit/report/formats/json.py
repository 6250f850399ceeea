"""JSON for programs: the report itself, tamed, in the published schema."""

from typing import Any, BinaryIO

import msgspec

from exposure_audit.model import wire
from exposure_audit.model.report import SCHEMA_VERSION, Report
from exposure_audit.report.format import Format
from exposure_audit.report.nouns import View


def render(view: View, out: BinaryIO) -> None:
    """Write the report, two spaces an indent."""
    out.write(wire.encode(view.report, indent=2))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the JSON report; definitions carry the meaning of each noun."""
    made = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:exposure-audit:schema:report:{SCHEMA_VERSION}",
        "title": "Report of exposure-audit",
        "description": "What the internet can reach, what answered there, what is wrong, and what is not known.",
        **made,
    }


FORMAT = Format(name="json", title="the whole report for programs", suffixes=(".json",), render=render)
