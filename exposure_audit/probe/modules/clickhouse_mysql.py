"""ClickHouse where it speaks the MySQL protocol: a login as `default` with an empty password.

Its greeting names itself; its error codes are ClickHouse's, not MySQL's.
Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/MySQLHandler.cpp
"""

from exposure_audit.model.observation import Facts, Verdict
from exposure_audit.probe.codec.clickhouse import verdict_of
from exposure_audit.probe.codec.mysql import error_of, handshake_response, packet, read_packet, server_version
from exposure_audit.probe.contract import Conversation, Cut, NotThis, Peer, Probe, Send

_SUFFIX = "-ClickHouse"
_QUIT = packet(0, b"\x01")


def _converse(peer: Peer) -> Conversation:  # noqa: ARG001 - every probe takes its peer
    sequence, greeting = yield from read_packet()
    stated = server_version(greeting) if sequence == 0 else ""
    if not stated.endswith(_SUFFIX) or not stated[:1].isdigit():
        raise NotThis("a greeting, but not of ClickHouse")
    yield Send(handshake_response("default"))
    details: dict[str, str | int | bool] = {}
    # Named by its greeting, undecided until the reply: what is cut there stays unknown.
    verdict: Verdict = "unidentified"
    answer = b""
    try:
        sequence, answer = yield from read_packet()
    except (Cut, NotThis):
        sequence = -1
    if sequence == 2 and answer[:1] == b"\x00":
        verdict = "unauthenticated"
        yield Send(_QUIT)
    elif sequence == 2 and answer[:1] == b"\xfe":
        verdict = "auth-required"  # AuthSwitchRequest: this user has a password of another kind.
    elif sequence == 2 and answer[:1] == b"\xff":
        code, message = error_of(answer)
        details["exception_code"], verdict = code, verdict_of(code)
        answer = message.encode()
    return Facts(
        service="clickhouse",
        product="ClickHouse",
        version=stated.removesuffix(_SUFFIX),
        verdict=verdict,
        access="metadata" if verdict == "unauthenticated" else "none",
        evidence=stated.encode() + b" | " + answer,
        details=details,
    )


PROBE = Probe(
    name="clickhouse-mysql",
    service="clickhouse",
    title="ClickHouse MySQL interface",
    transport="tcp",
    ports=(9004,),
    family="binary",
    safety="handshake",
    sends=(
        "HandshakeResponse41 as user default with an empty password, only to a greeting of ClickHouse",
        "COM_QUIT",
    ),
    never="logs in to a MySQL or MariaDB server, sends a query",
    details={"exception_code": int},
    converse=_converse,
)
