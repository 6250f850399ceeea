"""The port over which ClickHouse replicas fetch parts of tables from each other.

A name that no endpoint has gets past the credential check or it does not: that tells.
Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/InterserverIOHTTPHandler.cpp
"""

from exposure_audit.model.observation import Facts, Verdict
from exposure_audit.probe.codec.http1 import fetch, unlike
from exposure_audit.probe.contract import Conversation, Peer, Probe

_NO_ENDPOINT = "/?endpoint=exposure-audit-none&compress=false"
_NO_HANDLE = "/exposure-audit-none"


def _facts(verdict: Verdict, evidence: bytes) -> Facts:
    return Facts(service="clickhouse", product="ClickHouse", verdict=verdict, evidence=evidence)


def _converse(peer: Peer) -> Conversation:
    reply = yield from fetch(peer, _NO_ENDPOINT)
    text = reply.text
    # Spelled "authentification" by older versions.
    if reply.status == 401 and "HTTP Basic authenti" in text and "client" in text:
        return _facts("auth-required", reply.evidence())
    if reply.status == 500 and "Code: 221" in text and "interserver IO endpoint" in text:
        return _facts("unauthenticated", reply.evidence())
    # 18.x loses the text of the exception and says 200 with an empty body: a second anchor is needed.
    chunked = "chunked" in reply.headers.get("transfer-encoding", "")
    if reply.status == 200 and not reply.body and reply.complete and chunked:
        second = yield from fetch(peer, _NO_HANDLE, after=reply)
        named = f"There is no handle {_NO_HANDLE}" in second.text and "clickhouse-client" in second.text
        if second.status == 404 and named:
            return _facts("unauthenticated", reply.evidence() + second.evidence())
    raise unlike(reply, "not the interserver handler of ClickHouse")


PROBE = Probe(
    name="clickhouse-interserver",
    service="clickhouse",
    title="ClickHouse interserver port",
    transport="tcp",
    ports=(9009,),
    tls_ports=(9010,),
    family="http",
    safety="read-metadata",
    sends=("GET an endpoint that does not exist", "GET a path that does not exist"),
    never="names a real endpoint (DataPartsExchange)",
    details={},
    converse=_converse,
)
