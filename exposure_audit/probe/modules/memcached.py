"""Memcached over TCP: `version`, then the server's own statistics and settings.

https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

import re
from collections.abc import Generator

from exposure_audit.model.observation import Access, Facts, Verdict
from exposure_audit.probe.contract import Command, Conversation, Cut, NotThis, Peer, Probe, Receive, Reconnect, Send

_STATS_LIMIT = 32768
_LINE = re.compile(rb"STAT (\S+) ([^\r\n]*)\r\n")
# Binary VERSION and NOOP: without a login, SASL servers answer the first and refuse the second.
_BINARY = b"\x80\x0b" + bytes(22) + b"\x80\x0a" + bytes(22)
_AUTH_ERROR = 0x20


def _stats(words: bytes) -> Generator[Command, bytes, dict[str, str]]:
    """Ask for statistics. What came before a cut counts; a cut before the first line is raised."""
    yield Send(words + b"\r\n")
    answer = yield Receive(until=b"\r\n", limit=1024)
    if answer.startswith(b"STAT "):
        try:
            answer += yield Receive(until=b"END\r\n", limit=_STATS_LIMIT)
        except Cut as cut:
            answer += cut.data
    return {name.decode("latin-1"): text.decode("latin-1") for name, text in _LINE.findall(answer)}


def _binary() -> Generator[Command, bytes, Facts]:
    """With SASL the text protocol is shut: ask in the binary one."""
    yield Reconnect()
    yield Send(_BINARY)
    statuses: list[int] = []
    version = b""
    for opcode in (0x0B, 0x0A):
        header = yield Receive(exactly=24)
        length = int.from_bytes(header[8:12], "big")
        if header[:2] != bytes((0x81, opcode)) or length > 1024:
            raise NotThis("no binary memcached")
        body = (yield Receive(exactly=length)) if length else b""
        version = version or body
        statuses.append(int.from_bytes(header[6:8], "big"))
    if statuses[0] != 0 or statuses[1] not in {0, _AUTH_ERROR}:
        raise NotThis("no binary memcached")
    verdict: Verdict = "auth-required" if statuses[1] == _AUTH_ERROR else "unauthenticated"
    return Facts(
        service="memcached",
        product="Memcached",
        version=version.decode("latin-1"),
        verdict=verdict,
        access="none",
        evidence=b"binary VERSION " + version + b", NOOP status %#x" % statuses[1],
        details={"protocol": "binary"},
    )


def _converse(peer: Peer) -> Conversation:  # noqa: ARG001 - every probe takes its peer
    yield Send(b"version\r\n")
    try:
        line = yield Receive(until=b"\r\n", limit=512)
    except Cut as cut:
        if cut.data or cut.stalled:
            raise
        return (yield from _binary())
    if line == b"CLIENT_ERROR unauthenticated\r\n":
        return Facts(service="memcached", product="Memcached", verdict="auth-required", evidence=line.strip())
    if not re.fullmatch(rb"VERSION [\x20-\x7e]+\r\n", line):
        raise NotThis("no VERSION")
    version = line[8:].strip().decode("ascii")
    stats = yield from _stats(b"stats")
    if not {"pid", "version"} & set(stats):
        # A proxy such as mcrouter: it takes commands without a login, whatever is behind it.
        return Facts(
            service="memcached", version=version, verdict="limited", evidence=line.strip(), details={"proxy": True}
        )
    details: dict[str, str | int | bool] = {"protocol": "text"}
    for name in ("curr_items", "bytes", "limit_maxbytes", "uptime"):
        if (text := stats.get(name, "")).isdecimal() and len(text) < 19:
            details[name] = int(text)
    try:
        settings = yield from _stats(b"stats settings")
    except Cut:
        settings = {}
    if (port := settings.get("udpport", "")).isdecimal() and len(port) < 6:
        details["udp_port"] = int(port)
    # There are no rights within memcached: who may ask without a login may do everything.
    unguarded = settings.get("auth_enabled_sasl") == "no" and settings.get("auth_enabled_ascii", "no") == "no"
    access: Access = "write" if unguarded else "metadata"
    return Facts(
        service="memcached",
        product="Memcached",
        version=version,
        verdict="unauthenticated",
        access=access,
        evidence=line.strip() + b" | stats: %d lines" % len(stats),
        details=details,
    )


PROBE = Probe(
    name="memcached",
    service="memcached",
    title="Memcached",
    transport="tcp",
    ports=(11211,),
    family="line",
    safety="read-metadata",
    sends=("version", "stats", "stats settings", "binary VERSION and NOOP when the text protocol is shut"),
    never="gets or stores a key, dumps keys (cachedump, metadump)",
    details={
        "protocol": str,
        "proxy": bool,
        "curr_items": int,
        "bytes": int,
        "limit_maxbytes": int,
        "uptime": int,
        "udp_port": int,
    },
    converse=_converse,
)
