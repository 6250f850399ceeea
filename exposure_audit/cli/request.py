"""From settings to what a run is asked to do, and from a report to files and an exit code."""

import sys
from pathlib import Path
from typing import get_args

from exposure_audit.cli.settings import Settings, budget
from exposure_audit.errors import UsageError
from exposure_audit.model.report import FailOn, Report
from exposure_audit.runs import Request

DISCOVERERS = ("", "nmap")


def to_request(settings: Settings) -> Request:
    """Check what cannot be checked by type, and read the targets file. Raises UsageError, InputFileError."""
    if settings.fail_on not in get_args(FailOn):
        raise UsageError(
            f"unknown level {settings.fail_on!r}", where="--fail-on", mend=f"one of {', '.join(get_args(FailOn))}"
        )
    if settings.discover not in DISCOVERERS:
        raise UsageError(f"unknown discoverer {settings.discover!r}", where="--discover", mend="nmap")
    if settings.snapshot and not Path(settings.snapshot).is_dir():
        raise UsageError("no such folder", where=settings.snapshot, mend="give a snapshot folder")
    if settings.snapshot and settings.targets:
        raise UsageError("--snapshot and --targets exclude each other", mend="run them one after the other")
    if settings.loopback_only and settings.allow_private:
        raise UsageError("--loopback-only and --allow-private exclude each other")
    return Request(
        providers=settings.provider,
        regions=settings.region,
        profile=settings.profile,
        roles=settings.account_role,
        snapshot=settings.snapshot,
        targets=read_lines(settings.targets) if settings.targets else (),
        targets_from=settings.targets,
        probe=settings.probe,
        all_ports=settings.all_ports,
        exclude=settings.exclude,
        rules=settings.rules,
        fail_on=settings.fail_on,
        allow_incomplete=settings.allow_incomplete,
        vantage=settings.vantage,
        budget=budget(settings),
        measure_amplification=settings.measure_amplification,
        allow_private=settings.allow_private,
        allow_loopback=settings.allow_loopback,
        loopback_only=settings.loopback_only,
        confirm=settings.confirm,
        discover=settings.discover,
        max_age_hours=settings.max_age,
        api_timeout=settings.api_timeout,
        formats=settings.format,
    )


def read_lines(name: str) -> tuple[str, ...]:
    """The lines of a file, or of standard input for `-`. Raises UsageError when it cannot be read."""
    if name == "-":
        return tuple(sys.stdin.read().splitlines())
    try:
        return tuple(Path(name).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise UsageError(f"cannot be read: {why}", where=name) from None


def outputs(formats: tuple[str, ...]) -> list[tuple[str, str]]:
    """Cut NAME=FILE into pairs; a bare NAME means standard output. Raises UsageError for two of those."""
    pairs = [(name, file if equals else "-") for name, equals, file in (text.partition("=") for text in formats)]
    if any(not name or not file for name, file in pairs):
        raise UsageError("makes no sense", where="--format", mend="write NAME=FILE, or NAME=- for standard output")
    if sum(file == "-" for _, file in pairs) > 1:
        raise UsageError("only one format can go to standard output", where="--format")
    return pairs


def emit(report: Report, formats: tuple[str, ...], *, screen: bool = True) -> None:
    """Write every wanted format; the screen report goes to standard error when standard output carries data."""
    from exposure_audit.report.write import write

    pairs = outputs(formats)
    taken = any(file == "-" for _, file in pairs)
    write(report, pairs, screen=(sys.stderr if taken else sys.stdout) if screen else None)


def exit_code(report: Report, *, allow_incomplete: bool) -> int:
    """The exit code that a report deserves."""
    from exposure_audit.gate.decide import exit_code as decide

    return decide(report.gate, allow_incomplete=allow_incomplete)
