"""Packets of the MySQL client protocol: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html"""

import struct
from collections.abc import Generator

from exposure_audit.probe.contract import Command, NotThis, Receive

PACKET_LIMIT = 16384

CLIENT_LONG_PASSWORD = 1
CLIENT_PROTOCOL_41 = 1 << 9
CLIENT_SECURE_CONNECTION = 1 << 15
CLIENT_PLUGIN_AUTH = 1 << 19


def packet(sequence: int, payload: bytes) -> bytes:
    """Frame a payload: length in three bytes, little endian, then the sequence number."""
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


def read_packet() -> Generator[Command, bytes, tuple[int, bytes]]:
    """Read one packet; return its sequence number and payload. Raises NotThis for an absurd length."""
    header = yield Receive(exactly=4)
    length = int.from_bytes(header[:3], "little")
    if not 1 <= length <= PACKET_LIMIT:
        raise NotThis("no MySQL packet")
    return header[3], (yield Receive(exactly=length))


def handshake_response(user: str) -> bytes:
    """HandshakeResponse41 of a user with an empty password, without a database."""
    flags = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH
    fixed = struct.pack("<IIB23x", flags, PACKET_LIMIT, 33)
    return packet(1, fixed + user.encode() + b"\0" + b"\0" + b"mysql_native_password\0")


def server_version(greeting: bytes) -> str:
    """The version of a Handshake V10. Raises NotThis when the payload is none."""
    version, end, _ = greeting[1:].partition(b"\0")
    if greeting[:1] != b"\x0a" or not end:
        raise NotThis("no MySQL greeting")
    return version.decode("utf-8", "replace")


def error_of(payload: bytes) -> tuple[int, str]:
    """Code and message of an ERR packet (`ff`, code, `#`, SQL state, text)."""
    code = int.from_bytes(payload[1:3], "little")
    text = payload[3:].decode("utf-8", "replace")
    return code, text[6:] if text.startswith("#") else text
