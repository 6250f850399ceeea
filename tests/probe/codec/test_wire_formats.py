"""RESP, MySQL, PostgreSQL and ClickHouse framing: worked examples from their documentation, and absurd lengths."""

from collections.abc import Generator
from typing import TypeVar

import pytest
from replay import Server, Step

from exposure_audit.probe.codec import clickhouse, mysql, postgresql, resp
from exposure_audit.probe.contract import Command, Cut, NotThis

T = TypeVar("T")


def read(talk: Generator[Command, bytes, T], said: bytes) -> T:
    server = Server([Step(receive_hex=said.hex()), Step(close="fin")], datagrams=False, strict=True)
    command = next(talk)
    try:
        while True:
            command = talk.send(server.take(command))
    except StopIteration as stop:
        value: T = stop.value
        return value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (b"+OK\r\n", "OK"),
        (b":-5\r\n", -5),
        (b"$5\r\nhello\r\n", "hello"),
        (b"$0\r\n\r\n", ""),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", ["a", [1]]),
        (b"%1\r\n+a\r\n:1\r\n", ["a", 1]),
        (b"_\r\n", None),
        (b"#t\r\n", "t"),
        (b"$2\r\n\xff\xfe\r\n", "\ufffd\ufffd"),
    ],
)
def test_resp_values(said: bytes, value: object) -> None:
    assert read(resp.value(), said) == value


def test_resp_errors_are_refusals() -> None:
    with pytest.raises(resp.Refusal, match="NOAUTH Authentication required"):
        read(resp.value(), b"-NOAUTH Authentication required.\r\n")


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n",
        b"$99999999\r\n",
        b"*99999\r\n",
        b"$x\r\n",
        b"$2\r\nabcd",
        b"-\r\n",
        b"*1\r\n" * 9,
        b":\xb2\r\n",
    ],
)
def test_what_is_not_resp(said: bytes) -> None:
    with pytest.raises(NotThis):
        read(resp.value(), said)


def test_resp_request_and_helpers() -> None:
    assert resp.command("INFO", "server") == b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"
    assert resp.fields(["a", 1, "b", None, "odd"]) == {"a": 1, "b": None}
    assert resp.fields("text") == {}
    assert resp.info("# Server\r\na:1\r\nb:x:y\r\nnonsense\r\n") == {"a": "1", "b": "x:y"}
    assert resp.info(None) == {}


def test_mysql_handshake_response_is_that_of_the_protocol() -> None:
    sent = mysql.handshake_response("default")
    assert sent[:4] == bytes([len(sent) - 4, 0, 0, 1])
    # CLIENT_LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; then packet limit, utf8 (33), 23 zeros.
    assert sent[4:36] == bytes([1, 0x82, 8, 0]) + b"\x00\x40\0\0" + b"\x21" + bytes(23)
    assert sent[36:] == b"default\0\0mysql_native_password\0"
    # 32 bytes would be read as a request for TLS.
    assert len(sent) - 4 != 32


def test_mysql_packets() -> None:
    assert read(mysql.read_packet(), b"\x02\0\0\x05ab") == (5, b"ab")
    for absurd in (b"\0\0\0\0", b"\xff\xff\xff\0x"):
        with pytest.raises(NotThis):
            read(mysql.read_packet(), absurd)
    assert mysql.error_of(b"\xff\x04\x02#28000denied") == (516, "denied")
    assert mysql.error_of(b"\xff\x04\x02denied") == (516, "denied")
    assert mysql.server_version(b"\x0a8.0.1\0rest") == "8.0.1"
    for wrong in (b"\x098.0.1\0", b"\x0a8.0.1", b""):
        with pytest.raises(NotThis):
            mysql.server_version(wrong)


def test_postgresql_messages() -> None:
    assert postgresql.startup("default") == b"\0\0\0\x16\0\x03\0\0user\0default\0\0"
    assert read(postgresql.read_message(), b"R\0\0\0\x08\0\0\0\0") == (b"R", bytes(4))
    assert read(postgresql.read_message(), b"Z\0\0\0\x04") == (b"Z", b"")
    for wrong in (b"H", b"R\0\0\0\x03", b"R\xff\xff\xff\xff"):
        with pytest.raises(NotThis):
            read(postgresql.read_message(), wrong)
    assert postgresql.error_fields(b"SERROR\0C28P01\0Mno\0\0") == {"S": "ERROR", "C": "28P01", "M": "no"}
    assert postgresql.parameter(b"server_version\00024.3\0") == ("server_version", "24.3")


@pytest.mark.parametrize(("said", "value"), [(b"\x05", 5), (b"\x81\xa9\x03", 54401), (b"\x80\x01", 128)])
def test_clickhouse_varints(said: bytes, value: int) -> None:
    assert read(clickhouse.varint(), said) == value


def test_clickhouse_strings_and_their_limits() -> None:
    assert read(clickhouse.string(), b"\x03abc") == b"abc"
    assert read(clickhouse.string(), b"\0") == b""
    with pytest.raises(NotThis):
        read(clickhouse.string(), b"\xff\xff\xff\x7f")
    with pytest.raises(NotThis):
        read(clickhouse.varint(), b"\xff" * 20)
    with pytest.raises(Cut):
        read(clickhouse.string(), b"\x05ab")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(194, "auth-required"), (516, "auth-required"), (193, "auth-required"), (195, "blocked"), (497, "limited")],
)
def test_clickhouse_codes(code: int, verdict: str) -> None:
    assert clickhouse.verdict_of(code) == verdict
