"""Runs a probe plan: the sweep where there is much to ask, conversations with what is open, observations out.

`on_observation` is called as soon as something is known. It may be called again for the same port, when something
learned later puts it in another light: the last word counts.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from time import monotonic, time

from exposure_audit.model.addresses import AddressSet
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import ProbePlan, Task
from exposure_audit.model.progress import Progress, silent
from exposure_audit.probe.contract import Probe
from exposure_audit.probe.dispatch import Result
from exposure_audit.probe.driver import Driver, Job, Means
from exposure_audit.probe.everything import EverythingCheck
from exposure_audit.probe.guard import ScopeGuard
from exposure_audit.probe.limits import open_files
from exposure_audit.probe.outcome import failed, observe, swept
from exposure_audit.probe.resolve import Resolve, Resolver, system_resolve
from exposure_audit.probe.sweep import Found, Sweep, can_sweep
from exposure_audit.probe.trace import Trace

SWEEP_FROM = 200
"""From this many TCP ports on addresses, finding the open ones first pays."""
SWEEP_PORTS = 16
"""… where at least so many are asked of an address: fewer are known from an inventory, and mostly open."""
BATCH = 16_384
"""So many ports are swept before what is open among them is talked to."""

Key = tuple[str, int, str]


@lru_cache(maxsize=2)
def _written(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_now() -> str:
    """The time as reports write it: UTC, RFC 3339, whole seconds."""
    return _written(int(time()))


class RandomBits:
    """Fresh bits for transaction ids, 0..2^32-1: from the system, many at a time."""

    def __init__(self) -> None:
        self._store = b""

    def __call__(self) -> int:
        """Return the next bits."""
        if not self._store:
            self._store = os.urandom(4096)
        bits, self._store = self._store[:4], self._store[4:]
        return int.from_bytes(bits, "big")


def run_plan(
    plan: ProbePlan,
    *,
    probes: Mapping[str, Probe],
    on_observation: Callable[[Observation], None],
    clock: Callable[[], str] = utc_now,
    resolve: Resolve = system_resolve,
    nonce: Callable[[], int] | None = None,
    progress: Progress = silent,
    already: Collection[Key] = (),
    trace: Trace | None = None,
) -> None:
    """Ask what the plan says, except what `already` names; deliver each observation as it comes.

    `clock` returns RFC 3339; `resolve` returns addresses of a name or raises OSError. Nothing is raised for what
    happens on the wire. KeyboardInterrupt passes through, with every socket closed.
    """
    tasks = [task for task in plan.tasks if (task.address, task.port, task.transport) not in already]
    run = _Run(
        plan,
        total=len(tasks),
        probes=probes,
        on_observation=on_observation,
        clock=clock,
        resolve=resolve,
        nonce=nonce or RandomBits(),
        progress=progress,
        trace=trace,
    )
    run.all(tasks)


class _Run:
    def __init__(
        self,
        plan: ProbePlan,
        *,
        total: int,
        probes: Mapping[str, Probe],
        on_observation: Callable[[Observation], None],
        clock: Callable[[], str],
        resolve: Resolve,
        nonce: Callable[[], int],
        progress: Progress,
        trace: Trace | None,
    ) -> None:
        self._plan, self._on_observation, self._clock = plan, on_observation, clock
        self._resolve, self._progress = resolve, progress
        self._total, self._finished, self._told = total, 0, 0.0
        self._in_flight = min(max(1, plan.budget.in_flight), open_files())
        self._guard = ScopeGuard(plan.scope)
        self._everything = EverythingCheck(
            {(task.address, task.port, task.transport) for task in plan.tasks}, nonce
        )
        self._means = Means(
            probes=probes,
            budget=plan.budget,
            guard=self._guard,
            nonce=nonce,
            measure_amplification=plan.measure_amplification,
            trace=trace,
        )
        self._open: list[Task] = []
        self._canaries: set[Key] = set()
        self._driver: Driver | None = None

    def all(self, tasks: Sequence[Task]) -> None:
        """Sweep and converse, batch by batch."""
        self._progress("probe", 0, self._total)
        for batch, sweepable in _batches(tasks):
            self._open = []
            if sweepable:
                sweep = Sweep(self._plan.budget, self._guard, in_flight=self._in_flight, report=self._swept)
                sweep.run(batch)
            else:
                self._open = list(batch)
            if self._open:
                self._converse(self._open)
        self._progress("probe", self._finished, self._total)

    def _converse(self, tasks: Sequence[Task]) -> None:
        resolver: Resolver[Job] = Resolver(self._resolve)
        driver = Driver(self._means, resolver, in_flight=self._in_flight, done=self._done, tick=self._tell)
        self._driver = driver
        try:
            driver.add(tasks)
            driver.run()
        finally:
            driver.close()
            resolver.close()

    def _swept(self, task: Task, found: Found, text: str, connections: int) -> None:
        if found == "open":
            self._open.append(task)
            return
        now = self._clock()
        if found == "refused":
            self._deliver(swept(task, "closed", text, connections=connections, observed_at=now))
        elif found == "no-answer":
            self._deliver(swept(task, "filtered", f"{text}, asked twice", connections=connections, observed_at=now))
        else:
            why = f"refused by the scope guard: {text}" if found == "out-of-scope" else text
            self._deliver(failed(task, why, observed_at=now))
        self._tell()

    def _done(self, job: Job, result: Result) -> None:
        key = (job.task.address, job.task.port, job.task.transport)
        if key in self._canaries:
            accepted = result.ending.open_seconds > 0
            for one in self._everything.canary(job.task.address, accepted=accepted):
                self._on_observation(one)
            return
        observation = observe(
            job.task,
            result,
            observed_at=self._clock(),
            duration=monotonic() - job.started_at if job.started_at else 0.0,
            dialled=job.address,
        )
        observation, canaries = self._everything.take(observation)
        self._deliver(observation)
        if canaries and self._driver is not None:
            self._canaries |= {(one.address, one.port, one.transport) for one in canaries}
            self._driver.add(canaries)

    def _deliver(self, observation: Observation) -> None:
        self._finished += 1
        self._on_observation(observation)

    def _tell(self) -> None:
        """Say how far we are, at most ten times a second."""
        now = monotonic()
        if now - self._told > 0.1:
            self._told = now
            self._progress("probe", self._finished, self._total)


def _batches(tasks: Sequence[Task]) -> Iterator[tuple[Sequence[Task], bool]]:
    """Cut tasks into batches, and say of each whether it is swept first."""
    wide = [task for task in tasks if task.transport == "tcp" and _is_address(task.address)]
    hosts = len({task.address for task in wide})
    if not can_sweep() or len(wide) <= SWEEP_FROM or len(wide) < SWEEP_PORTS * hosts:
        yield tasks, False
        return
    swept_tasks = set(map(id, wide))
    rest = [task for task in tasks if id(task) not in swept_tasks]
    if rest:
        yield rest, False
    source = iter(sorted(wide, key=lambda task: task.port))  # Port-major: addresses take turns.
    while batch := list(islice(source, BATCH)):
        yield batch, True


def _is_address(text: str) -> bool:
    try:
        AddressSet.of(text)
    except ValueError:
        return False
    return True
