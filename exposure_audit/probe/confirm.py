"""Confirms a ClickHouse finding with ClickHouse's own client, on request: version, grants, counts, never a row.

It uses what was proven, a session as `default` without a password over HTTP, and nothing else. The proof of the
probe stays whatever happens here.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Timer
from typing import Any

import msgspec

from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Budget, ProbePlan
from exposure_audit.probe.guard import ScopeGuard, ScopeRefused
from exposure_audit.probe.redact import clip, redact

TOO_OLD = "server too old for clickhouse-connect: kept the raw proof"
_DATABASES = (
    "SELECT count() FROM system.databases WHERE name NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')"
)
_TABLES = (
    "SELECT count() FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')"
)
_GRANTS_BYTES = 400
_CONVERSATIONS = 3
"""The client asks a dozen times: it gets the total time of so many conversations, wall clock."""

Details = dict[str, str | int | bool]


def confirm(observations: Sequence[Observation], plan: ProbePlan) -> tuple[Observation, ...]:
    """Return the observations, those of open ClickHouse HTTP interfaces with what the client found.

    Adds `confirmed` with `grants`, `databases` and `tables`, or `confirm_failed` with the reason.
    """
    guard = ScopeGuard(plan.scope)
    return tuple(_confirmed(one, guard, plan.budget) if _proven(one) else one for one in observations)


def _proven(one: Observation) -> bool:
    return one.service == "clickhouse" and one.verdict == "unauthenticated" and one.probe == "clickhouse-http"


def _confirmed(one: Observation, guard: ScopeGuard, budget: Budget) -> Observation:
    address = one.dialled or one.address
    name = one.address if one.dialled else ""

    def check(host: str, port: int) -> None:
        if host.strip("[]") != address:
            raise ScopeRefused(f"{host} is not the address that was probed")
        guard.check(address, port, name=name)

    try:
        check(address, one.port)
        found = _ask(one, address, budget, check)
    except ScopeRefused as why:
        found = {"confirmed": False, "confirm_failed": f"refused by the scope guard: {why}"}
    version = str(found.pop("version", "")) or one.version
    return msgspec.structs.replace(one, version=version, details={**one.details, **found})


def _ask(one: Observation, address: str, budget: Budget, check: Callable[[str, int], None]) -> Details:
    sockets: list[socket.socket] = []

    def hang_up() -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    pool = _pool(one, check, sockets)
    clock = Timer(budget.total_seconds * _CONVERSATIONS, hang_up)
    clock.daemon = True
    clock.start()
    try:
        return {"confirmed": True, **_look(one, address, budget, pool)}
    except ScopeRefused:
        raise
    except Exception as error:  # noqa: BLE001 - what a hostile server makes of a foreign parser is no end of ours
        return {"confirmed": False, "confirm_failed": _why(one, error)}
    finally:
        clock.cancel()
        pool.clear()


def _pool(one: Observation, check: Callable[[str, int], None], sockets: list[socket.socket]) -> Any:  # noqa: ANN401
    """Connections of our own, by urllib3: guarded, no proxy of the environment, no redirect, any certificate."""
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            check(self.host, self.port or 0)
            sockets.append(super()._new_conn())
            return sockets[-1]

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            check(self.host, self.port or 0)
            sockets.append(super()._new_conn())
            return sockets[-1]

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Direct(PoolManager):
        def urlopen(self, method: str, url: str, *_: Any, **kw: Any) -> BaseHTTPResponse:  # noqa: ANN401
            # clickhouse-connect states retries of its own, which would allow redirects.
            return super().urlopen(method, url, **{**kw, "redirect": False, "retries": Retry(0, redirect=False)})

    tls: dict[str, Any] = {"cert_reqs": "CERT_NONE", "assert_hostname": False} if one.tls else {}
    if one.tls and one.server_name:
        tls["server_hostname"] = one.server_name
    manager = Direct(1, maxsize=1, **tls)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


def _look(one: Observation, address: str, budget: Budget, pool: Any) -> Details:  # noqa: ANN401
    from clickhouse_connect import get_client

    client = get_client(
        host=address,
        port=one.port,
        interface="https" if one.tls else "http",
        username="",
        password="",
        pool_mgr=pool,
        query_retries=0,
        compress=False,
        connect_timeout=max(1, round(budget.connect_seconds)),
        send_receive_timeout=max(1, round(budget.total_seconds)),
        autogenerate_session_id=False,
        tz_mode="naive_utc",
        client_name="exposure-audit",
    )
    try:
        version = str(client.server_version)
        grants = "; ".join(str(row[0]) for row in client.query("SHOW GRANTS").result_rows)
        databases = client.command(_DATABASES)
        tables = client.command(_TABLES)
        return {
            "version": clip(version, 128),
            "grants": clip(redact(grants), _GRANTS_BYTES),
            "databases": int(str(databases)),
            "tables": int(str(tables)),
        }
    finally:
        client.close()


def _why(one: Observation, error: Exception) -> str:
    """Old servers have no setting, function or grant that the client asks for at the start."""
    major = one.version.partition(".")[0]
    if major.isdecimal() and int(major) < 20:
        return TOO_OLD
    first = (str(error).splitlines() or [""])[0]
    return clip(redact(f"{type(error).__name__}: {first}"), 200)
