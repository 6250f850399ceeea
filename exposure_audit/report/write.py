"""Writes reports: files that are whole or absent, standard output as bytes, and the screen.

When standard output carries a report nothing else may be printed there; the caller sends the screen report to
standard error then.
"""

import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from exposure_audit.errors import UsageError
from exposure_audit.model import wire
from exposure_audit.model.report import Report
from exposure_audit.report.catalog import FORMATS
from exposure_audit.report.screen import hang_up
from exposure_audit.report.view import build

STDOUT = "-"


def check_formats(targets: Sequence[tuple[str, str]]) -> None:
    """Check (format, path) pairs before any work is done. Raises UsageError: unknown format, hopeless path."""
    for name, path in targets:
        if name not in FORMATS:
            near = get_close_matches(name.lower(), FORMATS, n=1)
            known = ", ".join(f"{known} ({made.title})" for known, made in FORMATS.items())
            mend = f"did you mean {near[0]}?" if near else f"one of {known}"
            raise UsageError(f"unknown format {name!r}", where="--format", mend=mend)
        if path != STDOUT:
            try:
                _check_path(name, Path(path))
            except OSError as error:
                raise UsageError(f"cannot be written: {error.strerror}", where=path) from None
    named = [path for _, path in targets]
    for path in named:
        if named.count(path) > 1:
            where = "standard output" if path == STDOUT else path
            raise UsageError(f"two formats go to {where}", where="--format", mend="give each its own file")


def _check_path(name: str, path: Path) -> None:
    if path.is_dir():
        file = path / f"report{FORMATS[name].suffixes[0]}"
        raise UsageError("is a folder", where=str(path), mend=f"name a file: --format {name}={file}")
    folder = next(parent for parent in (path.parent, *path.parent.parents) if parent.exists())
    if not folder.is_dir():
        raise UsageError("is no folder", where=str(folder), mend="name a file in a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError("cannot be written: permission denied", where=str(path), mend="name another folder")


def write(report: Report, targets: Sequence[tuple[str, str]], *, screen: TextIO | None = None) -> None:
    """Write the report in every wanted format, and for a person on `screen`; the path `-` is standard output.

    Raises UsageError for what `check_formats` finds, and when a file cannot be written. A reader who hangs up is no
    error: the rest is written all the same.
    """
    if not targets and screen is None:
        return
    check_formats(targets)
    view = build(report)
    # Files first: a pipe that breaks must not cost one.
    for name, path in sorted(targets, key=lambda target: target[1] == STDOUT):
        buffer = io.BytesIO()
        FORMATS[name].render(view, buffer)
        if path == STDOUT:
            _to_stdout(buffer.getvalue())
            continue
        try:
            wire.write_atomic(Path(path), buffer.getvalue())
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=path, mend="name another file") from None

    if screen is not None:
        from exposure_audit.report.formats.terminal import show

        show(view, screen)


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        hang_up(sys.stdout)
