"""The native protocol of ClickHouse: a Hello as `default` with an empty password, and nothing else.

The server checks the login before it answers Hello, so Hello alone proves the login.
Revision 54401 is chosen on purpose: newer ones make the server wait for an addendum and send more.
https://clickhouse.com/docs/native-protocol/server
"""

from exposure_audit.model.observation import Facts
from exposure_audit.probe.codec.clickhouse import string, varint, verdict_of
from exposure_audit.probe.contract import Conversation, Cut, NotThis, Peer, Probe, Receive, Send

_REVISION = 54401
# Hello, client name, version 1.0, revision 54401 as a varint, database "", user, password "".
_HELLO = b"\x00\x0eexposure-audit\x01\x00\x81\xa9\x03\x00\x07default\x00"
_WITH_TIMEZONE, _WITH_DISPLAY_NAME, _WITH_PATCH = 54058, 54372, 54401


def _converse(peer: Peer) -> Conversation:  # noqa: ARG001 - every probe takes its peer
    yield Send(_HELLO)
    kind = yield Receive(exactly=1)
    if kind == b"\x02":
        code = int.from_bytes((yield Receive(exactly=4)), "little", signed=True)
        if not (yield from string()).startswith(b"DB::"):
            raise NotThis("no exception of ClickHouse")
        message = yield from string()
        return Facts(
            service="clickhouse",
            product="ClickHouse",
            verdict=verdict_of(code),
            evidence=message,
            details={"exception_code": code},
        )
    if kind != b"\x00" or not (yield from string()).startswith(b"ClickHouse"):
        raise NotThis("no Hello of ClickHouse")
    major = yield from varint()
    minor = yield from varint()
    revision = yield from varint()
    if not (major < 1000 and minor < 1000 and 50000 < revision < 100000):
        raise NotThis("no revision of ClickHouse")
    details: dict[str, str | int | bool] = {"revision": revision}
    version = f"{major}.{minor}"
    shared = min(revision, _REVISION)
    try:
        if shared >= _WITH_TIMEZONE:
            details["timezone"] = (yield from string()).decode("utf-8", "replace")
        if shared >= _WITH_DISPLAY_NAME:
            details["display_name"] = (yield from string()).decode("utf-8", "replace")
        if shared >= _WITH_PATCH:
            version += f".{yield from varint()}"
    except Cut:
        # The login is proven already; what is missing is ornament.
        pass
    return Facts(
        service="clickhouse",
        product="ClickHouse",
        version=version,
        verdict="unauthenticated",
        access="metadata",
        evidence=f"Hello ClickHouse {version} revision {revision}".encode(),
        details=details,
    )


PROBE = Probe(
    name="clickhouse-native",
    service="clickhouse",
    title="ClickHouse native protocol",
    transport="tcp",
    ports=(9000,),
    tls_ports=(9440,),
    family="binary",
    safety="handshake",
    sends=("Hello as user default with an empty password",),
    never="sends a query or another password",
    details={"revision": int, "timezone": str, "display_name": str, "exception_code": int},
    converse=_converse,
)
