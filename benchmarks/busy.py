"""A busy machine: six busy loops beside 10,000 reachable targets, 400 of them open, and one second to connect.

Target: not one open port lost. Asyncio fires its time-outs before it reads the events that were ready, and calls
open ports silent.

    python benchmarks/busy.py               the comparison
    python benchmarks/busy.py sweep         one side: sweep, conversations, asyncio
"""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

TARGETS, OPEN = 10_000, 400
SPINNERS = 6
IN_FLIGHT = 4000
ROUNDS = 3
SECONDS = 1.0
FIRST_PORT, PORTS = 30_000, 25
SIDES = ("sweep", "conversations", "asyncio")


def places() -> list[tuple[str, int]]:
    """400 addresses with 25 ports each, the first of each address open; ports in the outer loop."""
    hosts = [f"127.21.{number // 200}.{number % 200 + 1}" for number in range(TARGETS // PORTS)]
    return [(host, FIRST_PORT + offset) for offset in range(PORTS) for host in hosts]


def sweep() -> int:
    """Find the open ports with the sweep."""
    from exposure_audit.model.plan import Budget, Scope, Task
    from exposure_audit.probe.guard import ScopeGuard
    from exposure_audit.probe.limits import open_files
    from exposure_audit.probe.sweep import Sweep

    budget = Budget(connect_seconds=SECONDS, per_address_rate=0, per_address_concurrency=0, global_rate=0)
    found: list[Task] = []

    def report(task: Task, what: str, text: str, connections: int) -> None:  # noqa: ARG001 - as the sweep calls it
        if what == "open":
            found.append(task)

    tasks = [Task(address=address, port=port, transport="tcp") for address, port in places()]
    guard = ScopeGuard(Scope(targets=("127.21.0.0/16",), loopback_only=True))
    Sweep(budget, guard, in_flight=min(IN_FLIGHT, open_files()), report=report).run(tasks)
    return len(found)


def conversations() -> int:
    """Find them with conversations that connect and say nothing; a second is all they get."""
    from exposure_audit.model.observation import Observation
    from exposure_audit.model.plan import Budget, ProbePlan, Scope, Task
    from exposure_audit.probe import run

    run.SWEEP_FROM = TARGETS + 1
    budget = Budget(
        connect_seconds=SECONDS,
        per_address_rate=0,
        per_address_concurrency=0,
        global_rate=0,
        in_flight=IN_FLIGHT,
        max_connections=1,
    )
    found: list[Observation] = []
    tasks = tuple(Task(address=address, port=port, transport="tcp") for address, port in places())
    plan = ProbePlan(tasks=tasks, scope=Scope(targets=("127.21.0.0/16",), loopback_only=True), budget=budget)
    run.run_plan(plan, probes={}, on_observation=found.append)
    return sum(one.verdict == "unidentified" for one in found)


def with_asyncio() -> int:
    """Find them with `asyncio.open_connection` and a semaphore."""
    import asyncio

    async def one(gate: asyncio.Semaphore, address: str, port: int) -> bool:
        async with gate:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SECONDS)
            except OSError:
                return False
            writer.transport.abort()
            return True

    async def everything() -> int:
        gate = asyncio.Semaphore(IN_FLIGHT)
        return sum(await asyncio.gather(*(one(gate, address, port) for address, port in places())))

    return asyncio.run(everything())


def compare() -> None:
    """Run the sides in turn beside the busy loops."""
    counts: dict[str, list[int]] = {side: [] for side in SIDES}
    took: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(ROUNDS):
        for side in SIDES:
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, side],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parent,
            )
            counts[side].append(int(done.stdout))
            took[side].append(time.perf_counter() - started)
    for side in SIDES:
        print(
            f"{side}: found {min(counts[side])} to {max(counts[side])} of {OPEN} open ports, "
            f"median {median(took[side]):.1f} s"
        )
    worst = min(*counts["sweep"], *counts["conversations"])
    print(f"ours lost at worst {OPEN - worst} (target: 0), asyncio lost {OPEN - min(counts['asyncio'])}")


def main() -> None:
    """Open the ports, start the busy loops, compare, stop everything that was started."""
    if len(sys.argv) > 1:
        print({"sweep": sweep, "conversations": conversations, "asyncio": with_asyncio}[sys.argv[1]]())
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        for address, port in places()[:OPEN]:
            one = stack.enter_context(socket.create_server((address, port), backlog=64))
            one.setblocking(False)
        spin = [sys.executable, "-c", "while True: pass"]
        spinners = [subprocess.Popen(spin) for _ in range(SPINNERS)]
        try:
            compare()
        finally:
            for each in spinners:
                each.kill()
                each.wait()


if __name__ == "__main__":
    main()
