"""The confirmation by clickhouse-connect, against a small server of canned answers in ClickHouse's Native format.

https://clickhouse.com/docs/native-protocol/columns; old servers are tested with a real one in the lab.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest
from peers import FAST, LOOPBACK, Server, refuse

from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Budget, ProbePlan, Scope
from exposure_audit.probe.confirm import TOO_OLD, confirm

Answer = Callable[[str], tuple[int, bytes]]


def string(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def native(*columns: tuple[str, str, bytes], rows: int = 1) -> bytes:
    """One block: number of columns and rows, then each column's name, type and values."""
    parts = [bytes([len(columns), rows])]
    parts += [string(name) + string(kind) + values for name, kind, values in columns]
    return b"".join(parts)


def modern(query: str) -> tuple[int, bytes]:
    if "version()" in query:
        return 200, b"25.8.1.1\tUTC\n"
    if "system.settings" in query:
        return 200, native(
            ("name", "String", string("max_threads")),
            ("value", "String", string("8")),
            ("readonly", "UInt8", b"\0"),
        )
    if "SHOW GRANTS" in query:
        return 200, native(("GRANTS", "String", string("GRANT SELECT ON *.* TO default")))
    if "system.databases" in query:
        return 200, b"3\n"
    if "system.tables" in query:
        return 200, b"42\n"
    return 200, native(("check", "UInt8", b"\1"))


@contextmanager
def clickhouse(answer: Answer, headers: dict[str, str] | None = None) -> Iterator[tuple[int, list[str], list[str]]]:
    """Serve answers; yield the port, the queries and the Authorization headers that came."""
    queries: list[str] = []
    logins: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            query = parse_qs(urlparse(self.path).query).get("query", [""])[0] + body
            queries.append(query)
            logins.append(self.headers.get("Authorization", ""))
            status, data = answer(query)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1]), queries, logins
    finally:
        server.shutdown()
        server.server_close()


def proven(port: int, **more: object) -> Observation:
    fields: dict[str, object] = {"version": "25.8.1.1", "probe": "clickhouse-http", **more}
    return Observation(
        address="127.0.0.1", port=port, transport="tcp", service="clickhouse", verdict="unauthenticated",
        details={"timezone": "UTC"}, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def plan(scope: Scope = LOOPBACK, budget: Budget = FAST) -> ProbePlan:
    return ProbePlan(scope=scope, budget=budget)


def test_version_grants_and_counts_are_added_and_no_row_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with clickhouse(modern) as (port, queries, logins):
        (seen,) = confirm([proven(port, version="")], plan())
    assert seen.details == {
        "timezone": "UTC", "confirmed": True, "databases": 3, "tables": 42,
        "grants": "GRANT SELECT ON *.* TO default",
    }  # fmt: skip
    assert seen.version == "25.8.1.1"
    assert set(logins) == {""}, "no credential is sent"
    told = [query for query in queries if "FROM" in query]
    assert all("system." in query for query in told)


def test_a_server_that_is_too_old_keeps_the_raw_proof() -> None:
    old = (
        500,
        b"Code: 47, e.displayText() = DB::Exception: Unknown identifier: readonly, e.what() = DB::Exception\n",
    )
    with clickhouse(lambda query: old if "settings" in query else modern(query)) as (port, _, _):
        (seen,) = confirm([proven(port, version="18.16.1")], plan())
    assert seen.details == {"timezone": "UTC", "confirmed": False, "confirm_failed": TOO_OLD}
    assert seen.verdict == "unauthenticated"
    assert seen.version == "18.16.1"


def test_a_redirect_is_not_followed() -> None:
    with (
        Server(refuse) as elsewhere,
        clickhouse(lambda _: (307, b""), {"Location": f"http://127.0.0.1:{elsewhere.port}/"}) as (port, _, _),
    ):
        (seen,) = confirm([proven(port)], plan())
        assert elsewhere.connections == 0
    assert seen.details["confirmed"] is False


@pytest.mark.parametrize(
    "script", [refuse, lambda one: one.close(), lambda one: one.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"\xff" * 999)]
)
def test_a_server_that_answers_garbage_changes_nothing_but_says_so(script: Callable[..., None]) -> None:
    with Server(script) as server:
        (seen,) = confirm([proven(server.port)], plan())
    assert seen.details["confirmed"] is False
    assert seen.details["confirm_failed"]
    assert seen.verdict == "unauthenticated"


def test_an_endless_answer_is_cut_by_the_clock() -> None:
    def drip(one: object) -> None:
        one.recv(9999)  # type: ignore[attr-defined]
        one.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")  # type: ignore[attr-defined]
        while True:
            one.sendall(b"1\r\nx\r\n")  # type: ignore[attr-defined]
            time.sleep(0.05)

    started = time.monotonic()
    with Server(drip) as server:
        budget = Budget(connect_seconds=0.5, total_seconds=0.5)
        (seen,) = confirm([proven(server.port)], plan(budget=budget))
    assert seen.details["confirmed"] is False
    assert time.monotonic() - started < 8


def test_the_scope_guard_stands_here_too() -> None:
    with clickhouse(modern) as (port, queries, _):
        (seen,) = confirm([proven(port)], plan(Scope(targets=("127.0.0.1",))))
        assert queries == []
    assert str(seen.details["confirm_failed"]).startswith("refused by the scope guard")


def test_only_what_was_proven_is_asked() -> None:
    with clickhouse(modern) as (port, queries, _):
        others = [
            Observation(
                address="127.0.0.1", port=port, transport="tcp", service="clickhouse", verdict="auth-required"
            ),
            Observation(
                address="127.0.0.1", port=port, transport="tcp", service="redis", verdict="unauthenticated"
            ),
            proven(port, probe="clickhouse-native"),
        ]
        assert confirm(others, plan()) == tuple(others)
        assert queries == []
