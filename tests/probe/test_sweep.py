"""The sweep finds what is open, asks silent ports twice, obeys the rates, and says nothing false."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from peers import FAST, LOOPBACK, TOY, Server, ask, full_backlog, hello

import exposure_audit.probe.run as run_module
from exposure_audit.model.plan import Budget, Scope, Task
from exposure_audit.probe.guard import ScopeGuard
from exposure_audit.probe.sweep import Sweep

Row = tuple[str, str, int]


def sweep(
    tasks: list[Task], *, budget: Budget = FAST, scope: Scope = LOOPBACK, in_flight: int = 500
) -> dict[tuple[str, int], Row]:
    found: dict[tuple[str, int], Row] = {}

    def report(task: Task, what: str, text: str, connections: int) -> None:
        assert (task.address, task.port) not in found, "said twice"
        found[task.address, task.port] = (what, text, connections)

    Sweep(budget, ScopeGuard(scope), in_flight=in_flight, report=report).run(tasks)
    return found


def tasks(address: str, ports: range | list[int]) -> list[Task]:
    return [Task(address=address, port=port, transport="tcp", probes=("toy",)) for port in ports]


@pytest.fixture
def listeners() -> Iterator[list[tuple[str, int]]]:
    with contextlib.ExitStack() as stack:
        places = []
        for address in ("127.0.3.1", "127.0.3.2", "::1"):
            for _ in range(5):
                one = stack.enter_context(
                    socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
                )
                one.bind((address, 0))
                one.listen(5)
                places.append((address, int(one.getsockname()[1])))
        yield places


def test_open_and_closed_are_told_apart(listeners: list[tuple[str, int]]) -> None:
    asked = [
        task for address, port in listeners for task in tasks(address, range(port - 20, min(port + 20, 65536)))
    ]
    unique = list({(task.address, task.port): task for task in asked}.values())
    found = sweep(unique)
    assert len(found) == len(unique)
    opened = {place for place, row in found.items() if row[0] == "open"}
    # Somebody else's listener may be bound to all addresses: ours are found, and nothing is silent.
    assert opened >= set(listeners)
    assert {row[0] for row in found.values()} <= {"open", "refused"}
    assert all(row[2] == 1 for row in found.values())


def test_fewer_sockets_than_targets_change_no_result(listeners: list[tuple[str, int]]) -> None:
    asked = [task for address, port in listeners for task in tasks(address, [port])]
    assert {row[0] for row in sweep(asked * 1, in_flight=2).values()} == {"open"}


def test_a_silent_port_is_asked_twice() -> None:
    budget = Budget(connect_seconds=0.3, per_address_rate=0, per_address_concurrency=0, global_rate=0)
    with full_backlog() as port:
        started = time.monotonic()
        found = sweep(tasks("127.0.0.1", [port]), budget=budget)
        assert 0.55 < time.monotonic() - started < 3
    assert found["127.0.0.1", port] == ("no-answer", "no answer within 0.3 s", 2)


def test_what_is_out_of_scope_is_not_swept() -> None:
    with Server(hello) as server:
        found = sweep(tasks("127.0.0.1", [server.port]), scope=Scope(targets=("127.0.0.1",)))
        found |= sweep(tasks("198.51.100.1", [80]), scope=Scope(targets=("198.51.100.1",), loopback_only=True))
        assert server.connections == 0
    assert {row[0] for row in found.values()} == {"out-of-scope"}


def test_the_sweep_obeys_the_rate_of_an_address() -> None:
    budget = Budget(connect_seconds=1, per_address_rate=50, per_address_concurrency=1, global_rate=0)
    started = time.monotonic()
    sweep(tasks("127.0.4.1", range(1, 12)), budget=budget)
    assert time.monotonic() - started > 0.18


def test_a_big_plan_is_swept_and_only_what_is_open_is_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "BATCH", 100)
    with Server(hello, address="127.0.5.1") as server:
        ports = sorted({server.port, *range(20_000, 20_300)})
        found = ask(*(("127.0.5.1", port) for port in ports))
        assert server.connections == 2, "once by the sweep, once to talk"
    verdicts = {one.port: one.verdict for one in found}
    assert len(found) == len(ports)
    assert verdicts[server.port] == "unauthenticated"
    assert sum(verdict == "closed" for verdict in verdicts.values()) >= 299
    assert TOY.name == "toy"
