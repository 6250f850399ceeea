"""What all faces of ClickHouse share: error codes, varints and strings of the native protocol.

Error codes: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
Native protocol: https://clickhouse.com/docs/native-protocol/basics
"""

from collections.abc import Generator

from exposure_audit.model.observation import Verdict
from exposure_audit.probe.contract import Command, NotThis, Receive

STRING_LIMIT = 16384

_REFUSALS: dict[int, Verdict] = {
    192: "auth-required",  # UNKNOWN_USER
    193: "auth-required",  # WRONG_PASSWORD
    194: "auth-required",  # REQUIRED_PASSWORD
    195: "blocked",  # IP_ADDRESS_NOT_ALLOWED
    # AUTHENTICATION_FAILED: wrong password, no such user and "not from this address" alike.
    516: "auth-required",
}


def verdict_of(code: int) -> Verdict:
    """What an exception to our first request says about the login.

    Everything but a refused login is thrown after it succeeded: rights, quotas, limits, unknown functions.
    """
    return _REFUSALS.get(code, "limited")


def varint() -> Generator[Command, bytes, int]:
    """Read an unsigned LEB128 integer of at most 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        byte = (yield Receive(exactly=1))[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise NotThis("a varint that never ends")


def string() -> Generator[Command, bytes, bytes]:
    """Read a string with its length before it."""
    length = yield from varint()
    if length > STRING_LIMIT:
        raise NotThis("a string of absurd length")
    if not length:
        return b""
    return (yield Receive(exactly=length))
