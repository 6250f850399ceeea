"""Messages of the PostgreSQL protocol 3.0: https://www.postgresql.org/docs/current/protocol-message-formats.html"""

import struct
from collections.abc import Generator

from exposure_audit.probe.contract import Command, NotThis, Receive

MESSAGE_LIMIT = 16384
TERMINATE = b"X\0\0\0\x04"
_KINDS = b"REKNSZvA"


def startup(user: str) -> bytes:
    """StartupMessage of protocol 3.0 for a user, without a database."""
    body = struct.pack("!I", 196608) + b"user\0" + user.encode() + b"\0\0"
    return struct.pack("!I", len(body) + 4) + body


def read_message(start: bytes = b"") -> Generator[Command, bytes, tuple[bytes, bytes]]:
    """Read one message of the start-up phase; return its type byte and body.

    `start` is its first byte when that was read already. Raises NotThis for what no server says at start-up.
    """
    kind = start or (yield Receive(exactly=1))
    if kind not in _KINDS:
        raise NotThis("no PostgreSQL message")
    length = int.from_bytes((yield Receive(exactly=4)), "big")
    if not 4 <= length <= MESSAGE_LIMIT:
        raise NotThis("a PostgreSQL message of absurd length")
    return kind, (yield Receive(exactly=length - 4)) if length > 4 else b""


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their type letter."""
    parts = body.split(b"\0")
    return {part[:1].decode("latin-1"): part[1:].decode("utf-8", "replace") for part in parts if part}


def parameter(body: bytes) -> tuple[str, str]:
    """Name and value of a ParameterStatus."""
    name, _, value = body.partition(b"\0")
    return name.decode("utf-8", "replace"), value.rstrip(b"\0").decode("utf-8", "replace")
