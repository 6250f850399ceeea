"""One codec for all nouns: JSON in, JSON out, and files that are whole or absent."""

import os
import tempfile
from pathlib import Path
from typing import TypeVar

import msgspec

from exposure_audit.errors import InputFileError

T = TypeVar("T")


def encode(noun: object, *, indent: int = 0) -> bytes:
    """Return the JSON of a noun, with a final line feed."""
    data = msgspec.json.encode(noun)
    return (msgspec.json.format(data, indent=indent) if indent else data) + b"\n"


def decode(data: bytes, kind: type[T], *, where: str) -> T:
    """Read JSON of a known kind. Raises InputFileError naming the file and the place in it."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise InputFileError(f"not a valid {kind.__name__}: {error}", where=where) from None


def read(path: Path, kind: type[T]) -> T:
    """Read a JSON file of a known kind. Raises InputFileError when it is missing or means nothing."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return decode(data, kind, where=str(path))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is whole or absent: a temporary name beside it, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o600)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
