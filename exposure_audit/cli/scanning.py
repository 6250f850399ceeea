"""What `scan` does: a run folder, the whole canal, the reports, the exit code."""

from pathlib import Path
from typing import Any

from exposure_audit import pipeline
from exposure_audit.cli import exits
from exposure_audit.cli.console import note, progress_bars
from exposure_audit.cli.request import emit, exit_code, outputs, to_request
from exposure_audit.cli.settings import Settings, resolve
from exposure_audit.errors import ExposureAuditError
from exposure_audit.report.write import check_formats
from exposure_audit.runs import RunFolder


def scan_command(flags: dict[str, Any], *, resume: bool) -> int:
    """Begin a run or go on with one; return the exit code."""
    settings = resolve(flags)
    run = RunFolder.open(settings.run_dir) if resume else _begin(settings)
    request = run.state.request
    try:
        with progress_bars() as progress:
            report = pipeline.scan(run, progress=progress)
    except ExposureAuditError:
        # Only what we began ourselves: a run to resume may be somebody else's, and busy.
        if not resume:
            run.discard_if_empty()
        raise
    except KeyboardInterrupt:
        note(f"interrupted; what was gathered is kept. Go on: exposure-audit scan --resume --run-dir {run.path}")
        return exits.INTERRUPTED
    emit(report, settings.format or request.formats)
    note(f"run kept in {run.path}")
    return exit_code(report, allow_incomplete=request.allow_incomplete)


def _begin(settings: Settings) -> RunFolder:
    """Check everything that can be checked before the first question, then make the run folder."""
    request = to_request(settings)
    check_formats(outputs(request.formats))
    return RunFolder.create(pipeline.new_state(request), Path(settings.run_dir) if settings.run_dir else None)
