"""ClickHouse where it speaks the PostgreSQL protocol: a start-up as `default`, without a password.

Told from PostgreSQL by its version of four parts, and by errors of three fields where PostgreSQL sends more
(`V` since 9.6, `F`, `L`, `R`). A password is never sent: asked for one, ClickHouse says its error when we leave.
Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Core/PostgreSQLProtocol.h
"""

import re

from exposure_audit.model.observation import Facts, Verdict
from exposure_audit.probe.codec.postgresql import TERMINATE, error_fields, parameter, read_message, startup
from exposure_audit.probe.contract import Conversation, NotThis, Peer, Probe, Receive, Send

_VERSION = re.compile(r"\d+\.\d+\.\d+\.\d+")
_REFUSALS = {"Invalid user or password", "Authentication method is not supported"}
_MAX_MESSAGES = 32


def _refused(body: bytes) -> bytes:
    """The text of a refusal in the words and the form of ClickHouse. Raises NotThis otherwise."""
    fields = error_fields(body)
    if set(fields) != {"S", "C", "M"} or fields["M"] not in _REFUSALS:
        raise NotThis("an error, but not in the form of ClickHouse")
    return fields["M"].encode()


def _facts(verdict: Verdict, evidence: bytes, version: str = "") -> Facts:
    return Facts(
        service="clickhouse",
        product="ClickHouse",
        version=version,
        verdict=verdict,
        access="metadata" if verdict == "unauthenticated" else "none",
        evidence=evidence,
    )


def _converse(peer: Peer) -> Conversation:  # noqa: ARG001 - every probe takes its peer
    yield Send(startup("default"))
    kind, body = yield from read_message()
    if kind == b"E":
        return _facts("auth-required", _refused(body))
    if kind != b"R" or len(body) < 4:
        raise NotThis("no answer to a start-up message")
    method = int.from_bytes(body[:4], "big")
    if method != 0:
        # Asked for a password, it says who it is when the client leaves.
        yield Send(TERMINATE)
        start = yield Receive(at_most=1, wait=1.0)
        if not start:
            raise NotThis("wants a password and says no more")
        kind, body = yield from read_message(start)
        if kind != b"E":
            raise NotThis("wants a password and says no more")
        return _facts("auth-required", _refused(body))
    said: dict[str, str] = {}
    for _ in range(_MAX_MESSAGES):
        kind, body = yield from read_message()
        if kind == b"S":
            name, value = parameter(body)
            said[name] = value
        elif kind in b"ZE":
            break
    version = said.get("server_version", "")
    if not _VERSION.fullmatch(version) or "integer_datetimes" in said:
        raise NotThis("PostgreSQL, not ClickHouse")
    yield Send(TERMINATE)
    return _facts("unauthenticated", f"AuthenticationOk server_version={version}".encode(), version)


PROBE = Probe(
    name="clickhouse-postgresql",
    service="clickhouse",
    title="ClickHouse PostgreSQL interface",
    transport="tcp",
    ports=(9005,),
    family="binary",
    safety="handshake",
    sends=("StartupMessage as user default", "Terminate"),
    never="sends a password or a query; a user with SCRAM cannot be told from PostgreSQL without a password",
    details={},
    converse=_converse,
)
