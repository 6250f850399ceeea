"""The snapshot folder: raw answers on disk, each file whole or absent, and a manifest that says what was not read.

    manifest.json
    <provider>/<account>/<region|global>/<service>.<operation>.json

A folder filled by hand with the vendor's command line is as good as one of ours. What a file holds is hostile
input: a file that cannot be understood is a gap with a reason, never an exception.
"""

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from exposure_audit import __version__
from exposure_audit.collect.contract import Place
from exposure_audit.errors import InputFileError, RunError
from exposure_audit.model import wire
from exposure_audit.model.inventory import Coverage

T = TypeVar("T")
SCHEMA_VERSION = "1"
MANIFEST = "manifest.json"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """When a snapshot was taken, by which version, and how each call ended."""

    schema_version: str = SCHEMA_VERSION
    tool_version: str = __version__
    started_at: str
    finished_at: str = ""
    """Empty while the work goes on or when it was interrupted."""
    coverage: tuple[Coverage, ...] = ()


def answer_path(folder: Path, place: Place, call: str) -> Path:
    """Where the answer of a call is kept. Raises ValueError when a name would lead elsewhere."""
    for part in (place.provider, place.account, place.region):
        if not _PLAIN_NAME.fullmatch(part):
            raise ValueError(f"not a name for a folder: {part!r}")
    return folder / place.provider / place.account / place.region / f"{call}.json"


def write_answer(folder: Path, place: Place, call: str, data: bytes) -> None:
    """Keep an answer. Raises RunError when the folder cannot be written."""
    _write(answer_path(folder, place, call), data)


def _write(path: Path, data: bytes) -> None:
    try:
        wire.write_atomic(path, data)
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror}", where=str(path)) from None


def write_manifest(
    folder: Path, provider: str, coverage: Iterable[Coverage], *, started_at: str, finished_at: str
) -> None:
    """Write the manifest; the rows of other providers, and an earlier start, are kept."""
    before, _ = read_manifest(folder)
    rows = [*coverage]
    if before:
        rows += [row for row in before.coverage if row.provider != provider]
        started_at = before.started_at or started_at
    manifest = Manifest(started_at=started_at, finished_at=finished_at, coverage=sort_coverage(rows))
    _write(folder / MANIFEST, wire.encode(manifest, indent=1))


def sort_coverage(rows: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Order rows by provider, account, region and call."""
    return tuple(sorted(rows, key=lambda row: (row.provider, row.account, row.region, row.call, row.status)))


def read_manifest(folder: Path) -> tuple[Manifest | None, str]:
    """Return the manifest, or None and what is wrong with it; no manifest at all is nothing wrong.

    Raises InputFileError when it was written by a version that we do not understand.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None, ""
    try:
        manifest = _decode(path.read_bytes(), Manifest)
    except (OSError, ValueError) as error:
        return None, f"{MANIFEST}: {explain(error)}"
    if manifest.schema_version != SCHEMA_VERSION:
        raise InputFileError(
            f"a snapshot of schema version {manifest.schema_version!r}; this program reads {SCHEMA_VERSION!r}",
            where=str(path),
            mend="use the version of exposure-audit that wrote it, or collect again",
        )
    return manifest, ""


def finished_at(folder: Path) -> str:
    """When the snapshot was finished, RFC 3339; empty when nobody says."""
    manifest, _ = read_manifest(folder)
    return manifest.finished_at if manifest else ""


def places(folder: Path, provider: str) -> tuple[Place, ...]:
    """The accounts and regions that the folder knows of, sorted."""
    found = (path for path in (folder / provider).glob("*/*") if path.is_dir() and not path.name.startswith("."))
    return tuple(sorted(Place(provider, path.parent.name, path.name) for path in found))


def clean(folder: Path) -> None:
    """Remove the half-written temporary files that a killed run left behind."""
    for path in folder.rglob(".*.json.*"):
        path.unlink(missing_ok=True)


def explain(error: Exception) -> str:
    """One line about a file that cannot be understood."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _decode(data: bytes, kind: type[T]) -> T:
    """Decode JSON, also as PowerShell's `>` writes it. Raises ValueError (msgspec's errors are ValueErrors)."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16").encode()
    return msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=kind)


class SnapshotAnswers:
    """The answers of one place, read when asked for, each once. `problems` says what is wrong with which."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.place = place
        self.problems: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self._folder = folder
        self._kept: dict[tuple[str, Any], Any] = {}

    def path(self, call: str) -> Path:
        """Where the answer of a call would be."""
        return answer_path(self._folder, self.place, call)

    def has(self, call: str) -> bool:
        """Whether there is a file at all."""
        return self.path(call).exists()

    def one(self, call: str, kind: type[T]) -> T | None:
        """The answer of a call; None when it is not there or is no such answer."""
        key = (call, kind)
        if key not in self._kept:
            self._kept[key] = self._read(call, kind)
        found: T | None = self._kept[key]
        return found

    def each(self, call: str, kind: type[T]) -> dict[str, T] | None:
        """The answers of a per-resource call by resource id; missing ids are absent."""
        return self.one(call, dict[str, kind])  # type: ignore[valid-type]

    def reject(self, call: str, why: str) -> None:
        """Say that an answer means nothing; the first reason is kept."""
        self.problems.setdefault(call, f"{self._where(call)}: {why}")

    def note(self, call: str, text: str) -> None:
        """Say what was done instead, when an answer is not there."""
        self.notes[call] = text

    def _read(self, call: str, kind: type[T]) -> T | None:
        path = self.path(call)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.reject(call, explain(error))
            return None
        try:
            return _decode(data, kind)
        except (ValueError, RecursionError) as error:
            self.reject(call, explain(error))
            return None

    def _where(self, call: str) -> str:
        return self.path(call).relative_to(self._folder).as_posix()
