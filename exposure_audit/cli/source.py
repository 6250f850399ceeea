"""Finds the report that a command is about."""

from pathlib import Path

from exposure_audit import pipeline
from exposure_audit.errors import UsageError
from exposure_audit.model.report import Report
from exposure_audit.runs import RunFolder


def find_report(source: str) -> Report:
    """Read a JSON report, the report of a run folder, or that of the newest run. Raises UsageError, RunError."""
    path = Path(source)
    if source and path.is_file():
        return pipeline.read_report(path)
    run = RunFolder.open(source)
    if not run.report.exists():
        raise UsageError("the run is not finished", where=str(run.path), mend=f"scan --resume --run-dir {run.path}")
    return pipeline.read_report(run.report)
