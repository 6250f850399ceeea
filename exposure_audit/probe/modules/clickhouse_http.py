"""ClickHouse over HTTP: does a query without any credential run?

The HTTP status differs between versions; the exception code decides. `GET /` and `/ping` say `Ok.` behind a
password too, so they are not asked. https://clickhouse.com/docs/interfaces/http
"""

import re

from exposure_audit.model.observation import Access, Facts
from exposure_audit.probe.codec.clickhouse import verdict_of
from exposure_audit.probe.codec.http1 import Reply, fetch, follow, unlike
from exposure_audit.probe.contract import Conversation, Peer, Probe

# The server forces GET to be read-only, so it hides whether the visitor may write: that question alone is a POST.
_NOT_OURS = "NOT%20IN%20('system','INFORMATION_SCHEMA','information_schema')"
_WHO = "/?query=SELECT%20version(),timezone()%20FORMAT%20JSONCompact"
_COUNTS = (
    f"/?query=SELECT%20(SELECT%20count()%20FROM%20system.databases%20WHERE%20name%20{_NOT_OURS}),count()"
    f"%20FROM%20system.tables%20WHERE%20database%20{_NOT_OURS}%20FORMAT%20JSONCompact"
)
_READONLY = "/?query=SELECT%20value,name%20FROM%20system.settings%20WHERE%20name='readonly'%20FORMAT%20JSONCompact"
_GRANTS = "/?query=SHOW%20GRANTS%20FORMAT%20TabSeparated"

_EXCEPTION = re.compile(r"Code: (\d{1,6})[.,].*?DB::Exception", re.DOTALL | re.ASCII)
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(\.\d+){0,3}([-_+~][\w.+~-]*)?", re.ASCII)
_GRANT = re.compile(r"^GRANT (.+?) ON .* TO ([^\n]+?)(?: WITH GRANT OPTION)?$", re.MULTILINE)


def _row(reply: Reply) -> list[str]:
    """The first row of a JSONCompact answer, as text; empty when there is none."""
    answer = reply.json()
    data = answer.get("data") if isinstance(answer, dict) and isinstance(answer.get("meta"), list) else None
    row = data[0] if isinstance(data, list) and data else None
    return [str(cell) for cell in row] if isinstance(row, list) and len(row) >= 2 else []


def _exception_code(reply: Reply) -> int:
    """The ClickHouse code of a failed query, from the body or from the header; 0 when it is no such failure."""
    found = _EXCEPTION.search(reply.text)
    stated = reply.headers.get("x-clickhouse-exception-code", "")
    if found:
        return int(found[1])
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 7 else 0


def _grants(text: str) -> tuple[set[str], str]:
    """The privileges of all GRANT lines, columns and scopes left out, and to whom they are granted."""
    lines = _GRANT.findall(text)
    plain = (re.sub(r"\([^)]*\)", "", what) for what, _ in lines)
    return {word.strip() for what in plain for word in what.split(",")}, lines[0][1] if lines else ""


def _access(version: re.Match[str], readonly: str, grants: set[str] | None) -> Access:
    # Rights per user came with 20.4 (SHOW GRANTS); before that, `readonly` alone decides.
    old = (int(version[1]), int(version[2])) < (20, 4)
    if grants is None and not old:
        return "metadata"
    if readonly == "0" and (old or (grants or set()) & {"ALL", "INSERT"}):
        return "write"
    return "read" if old or (grants or set()) & {"ALL", "SELECT"} else "metadata"


def _converse(peer: Peer) -> Conversation:
    reply = yield from fetch(peer, _WHO)
    details: dict[str, str | int | bool] = {}
    name = reply.headers.get("x-clickhouse-server-display-name", "")
    if name:
        details["display_name"] = name
    row = _row(reply)
    stated = _VERSION.fullmatch(row[0]) if row and reply.status == 200 else None
    if not stated:
        code = _exception_code(reply)
        if not code:
            raise unlike(reply, "neither the answer nor an exception of ClickHouse")
        details["exception_code"] = code
        return Facts(
            service="clickhouse",
            product="ClickHouse",
            verdict=verdict_of(code),
            evidence=reply.evidence(),
            details=details,
        )
    details["timezone"] = row[1]
    first = reply
    reply = yield from follow(peer, _COUNTS, after=reply)
    counts = _row(reply)
    if len(counts) == 2 and all(cell.isascii() and cell.isdigit() and len(cell) < 16 for cell in counts):
        details["databases"], details["tables"] = map(int, counts)
    reply = yield from follow(peer, _READONLY, method="POST", after=reply)
    readonly = (_row(reply) or [""])[0]
    if readonly in {"0", "1", "2"}:
        details["readonly"] = int(readonly)
    reply = yield from follow(peer, _GRANTS, after=reply)
    grants = None
    if reply.status == 200 and "GRANT " in reply.text:
        grants, details["user"] = _grants(reply.text)
        details["access_management"] = bool(grants & {"ALL", "ACCESS MANAGEMENT"})
    return Facts(
        service="clickhouse",
        product="ClickHouse",
        version=stated[0],
        verdict="unauthenticated",
        access=_access(stated, readonly, grants),
        evidence=first.evidence(0) + f"version() {row[0]}, timezone() {row[1]}".encode(),
        details=details,
    )


PROBE = Probe(
    name="clickhouse-http",
    service="clickhouse",
    title="ClickHouse HTTP interface",
    transport="tcp",
    ports=(8123,),
    tls_ports=(8443,),
    family="http",
    safety="read-metadata",
    sends=(
        "GET SELECT version(), timezone()",
        "GET SELECT count() over system.databases and system.tables",
        "POST SELECT value FROM system.settings WHERE name = 'readonly'",
        "GET SHOW GRANTS",
    ),
    never="sends a user name or a password, reads a row of a user's table, writes",
    details={
        "display_name": str,
        "timezone": str,
        "exception_code": int,
        "databases": int,
        "tables": int,
        "readonly": int,
        "user": str,
        "access_management": bool,
    },
    converse=_converse,
)
