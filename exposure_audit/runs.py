"""The run folder: one numbered artefact a stage, so that a killed run goes on where it was.

run.json  1-snapshot/  2-inventory.json  3-exposures.json  4-plan.json  5-observations.jsonl  6-report.json
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from exposure_audit.errors import InputFileError, RunError
from exposure_audit.model import wire
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Budget

HOME = Path(".exposure-audit/runs")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was asked for; saved, so that `--resume` asks for the same again. Never a secret."""

    providers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    profile: str = ""
    roles: tuple[str, ...] = ()
    snapshot: str = ""
    targets: tuple[str, ...] = ()
    """Lines of a targets file; without an inventory."""
    targets_from: str = ""
    probe: bool = True
    all_ports: bool = False
    exclude: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fail_on: str = "high"
    allow_incomplete: bool = False
    vantage: str = "local"
    budget: Budget = Budget()
    measure_amplification: bool = True
    allow_private: bool = False
    allow_loopback: bool = False
    loopback_only: bool = False
    confirm: bool = False
    discover: str = ""
    max_age_hours: float = 24.0
    api_timeout: float = 30.0
    formats: tuple[str, ...] = ()


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`: who started the run, when and with which request."""

    id: str
    started_at: str
    version: str
    request: Request


class RunFolder:
    """A run folder on disk. Every file in it is whole or absent; observations are appended line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.snapshot = path / "1-snapshot"
        self.inventory = path / "2-inventory.json"
        self.exposures = path / "3-exposures.json"
        self.plan = path / "4-plan.json"
        self.observations = path / "5-observations.jsonl"
        self.report = path / "6-report.json"
        self._state = path / "run.json"

    @classmethod
    def create(cls, state: RunState, path: Path | None = None) -> "RunFolder":
        """Make a new run folder. Raises RunError when it holds a run already or cannot be written."""
        folder = cls(path or HOME / state.id)
        if folder._state.exists():
            raise RunError(
                "holds a run already",
                where=str(folder.path),
                mend=f"go on with it: scan --resume --run-dir {folder.path}",
            )
        folder.write(folder._state, state)
        return folder

    @classmethod
    def open(cls, name: str) -> "RunFolder":
        """Find a run by path or id, or the newest for an empty name. Raises RunError when there is none."""
        if not name:
            runs = sorted(HOME.glob("*/run.json"))
            if not runs:
                raise RunError("no run to resume", where=str(HOME), mend="start one: exposure-audit scan")
            return cls(runs[-1].parent)
        for path in (Path(name), HOME / name):
            if (path / "run.json").exists():
                return cls(path)
        raise RunError("no such run", where=name, mend=f"runs are kept in {HOME}")

    @property
    def state(self) -> RunState:
        """Who started the run and what was asked for."""
        return wire.read(self._state, RunState)

    def write(self, path: Path, noun: object) -> None:
        """Write an artefact; readable only by its owner. Raises RunError when that is impossible."""
        try:
            wire.write_atomic(path, wire.encode(noun))
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror}", where=str(path)) from None

    def discard_if_empty(self) -> None:
        """Remove a run that gathered nothing: the user's mistake came before the first answer."""
        if not any(one.name != self._state.name for one in self.path.iterdir()):
            self._state.unlink()
            self.path.rmdir()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder alone: two runs that append to one file would both be wrong."""
        try:
            handle = os.open(self._state, os.O_RDWR)
        except OSError as error:
            raise RunError(f"cannot be opened: {error.strerror}", where=str(self._state)) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise RunError("another process works on this run", where=str(self.path)) from None
        try:
            yield
        finally:
            os.close(handle)


def _whole_lines(path: Path) -> tuple[list[Observation], int]:
    """Return the observations of a file and the length of its whole lines, in bytes."""
    if not path.exists():
        return [], 0
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    lines = data[:end].splitlines()
    return [wire.decode(line, Observation, where=f"{path}:{n}") for n, line in enumerate(lines, 1)], end


class ObservationLog:
    """Observations, one JSON line each, kept as they come. Raises RunError when the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.kept, end = _whole_lines(path)
            self._file = path.open("ab", buffering=0)
            # A torn last line is what `kill -9` leaves: cut off, or the next line would be glued to it.
            self._file.truncate(end)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(f"cannot be written: {error.strerror}", where=str(self._path))

    def __enter__(self) -> "ObservationLog":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def append(self, observation: Observation) -> None:
        """Keep one observation; it has left this process when this returns. Raises RunError on a full disk."""
        try:
            self._file.write(wire.encode(observation))
        except OSError as error:
            raise self._unwritable(error) from None
        self.kept.append(observation)

    def done(self) -> set[tuple[str, int, str]]:
        """The (address, port, transport) that need not be asked again; our own failures are asked again."""
        return {(one.address, one.port, one.transport) for one in self.kept if one.verdict != "error"}


def last_words(observations: Iterable[Observation]) -> tuple[Observation, ...]:
    """The last word on each port, sorted: independent of the order in which answers came."""
    latest = {(one.address, one.port, one.transport): one for one in observations}
    return tuple(latest[key] for key in sorted(latest))


def read_observations(paths: Iterable[Path]) -> tuple[Observation, ...]:
    """Read observation files; later ones win for the same port. Raises InputFileError."""
    kept: list[Observation] = []
    for path in paths:
        if not path.exists():
            raise InputFileError("no such file", where=str(path))
        kept += _whole_lines(path)[0]
    return last_words(kept)
