"""The loop: one thread, raw non-blocking sockets, readiness from the kernel.

Every packet of a conversation starts in `_open`, behind the scope guard and the pace. Events that were ready are
served before any time is declared over: on a busy machine a late look must not turn an open port into a silent one.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

import msgspec

from exposure_audit.model.plan import Budget, Task
from exposure_audit.probe.contract import Peer, Probe
from exposure_audit.probe.dispatch import Desk, Result
from exposure_audit.probe.endings import Attempt, Ending
from exposure_audit.probe.guard import ScopeGuard
from exposure_audit.probe.limits import LOCAL_EXHAUSTION
from exposure_audit.probe.link import IN_PROGRESS
from exposure_audit.probe.pace import Pace
from exposure_audit.probe.poller import Poller, best_poller
from exposure_audit.probe.resolve import Resolver
from exposure_audit.probe.session import Phase, Session
from exposure_audit.probe.trace import Trace, Tracer, silent

FRESH_SECONDS = 30.0
"""A name that was looked up longer ago is looked up again before the packet."""
EXHAUSTED_SECONDS = 10.0
"""How long we wait for sockets while none of ours is open, before we say that there are none."""
_PAUSE = 0.05
_NEVER = float("inf")


class Job:
    """One task on its way."""

    __slots__ = (
        "address", "attempt", "desk", "fd", "host", "looked_up_at", "name", "session", "started_at", "task",
        "timer_at",
    )  # fmt: skip

    def __init__(self, task: Task) -> None:
        self.task = task
        self.name = "" if _is_literal(task.address) else task.address
        self.address = "" if self.name else task.address
        self.host = self.address
        self.looked_up_at = self.started_at = 0.0
        self.desk: Desk | None = None
        self.attempt: Attempt | None = None
        self.session: Session | None = None
        self.fd = -1
        self.timer_at = _NEVER


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver works with."""

    probes: Mapping[str, Probe]
    budget: Budget
    guard: ScopeGuard
    nonce: Callable[[], int]
    measure_amplification: bool
    trace: Trace | None = None


class Driver:
    """Runs conversations until there are none left. `done` is called once for each task."""

    def __init__(
        self,
        means: Means,
        resolver: Resolver[Job],
        *,
        in_flight: int,
        done: Callable[[Job, Result], None],
        tick: Callable[[], None],
    ) -> None:
        self._means, self._resolver, self._done, self._tick = means, resolver, done, tick
        self._pace: Pace[Job] = Pace(means.budget, monotonic())
        self._poller: Poller[Job | None] = best_poller()
        self._poller.watch(resolver.fd, None, read=True, write=False)
        self._timers: list[tuple[float, int, Job]] = []
        self._count = 0
        self._live: set[Job] = set()
        self._probes: dict[tuple[str, ...], tuple[Probe, ...]] = {}
        self._limit = self._cap = max(1, in_flight)
        self._pause_until = 0.0
        self._exhausted_since = 0.0

    def add(self, tasks: Iterable[Task]) -> None:
        """Queue tasks; also while running."""
        for task in tasks:
            job = Job(task)
            if job.name:
                self._look_up(job)
            else:
                self._pace.add(job.host, job)

    def run(self) -> None:
        """Converse until every task is done. Whatever interrupts it leaves no socket open."""
        while self._live or self._pace.waiting or self._resolver.pending:
            now = monotonic()
            self._start(now)
            wait = self._wait(monotonic())
            before = monotonic()
            for job, signs in self._poller.wait(wait):
                if job is None:
                    self._looked_up()
                elif job.session is not None:
                    job.session.ready(signs)
                    self._settle(job)
            self._expire(before)
            if self._resolver.pending:
                self._looked_up()
            self._tick()

    def close(self) -> None:
        """Close every socket."""
        for job in self._live:
            if job.session is not None:
                job.session.abandon()
        self._live.clear()
        self._poller.close()

    # --- beginning ---

    def _start(self, now: float) -> None:
        while now >= self._pause_until and len(self._live) < self._cap:
            job = self._pace.take(now)
            if job is None:
                return
            self._open(job)

    def _open(self, job: Job) -> None:
        """Open a connection for a job whose turn it is: the only place that does."""
        now = monotonic()
        if job.name and now - job.looked_up_at > FRESH_SECONDS and job.session is None:
            self._pace.release(job.host)
            self._look_up(job)
            return
        if job.desk is None:
            job.desk = self._desk(job)
            job.started_at = now
            job.attempt = job.desk.next()
        if job.session is None:
            job.session = self._session(job)
        session = job.session
        why = self._means.guard.refusal(job.address, job.task.port, name=job.name)
        if why is not None:
            session.end("out-of-scope", text=why)
            self._settle(job)
            return
        code = session.connect()
        if code in LOCAL_EXHAUSTION and self._may_wait(now):
            self._cap = max(1, min(self._cap, len(self._live)))
            self._pause_until = now + _PAUSE
            self._pace.again(job.host, job)
            return
        self._exhausted_since = 0.0
        if code and code not in IN_PROGRESS:
            session.connect_failed(code)
        self._settle(job)

    def _may_wait(self, now: float) -> bool:
        """Out of sockets or ports: others of ours will free some, or we give the machine a while."""
        self._exhausted_since = self._exhausted_since or now
        return bool(self._live) or now - self._exhausted_since < EXHAUSTED_SECONDS

    def _desk(self, job: Job) -> Desk:
        names = job.task.probes
        probes = self._probes.get(names)
        if probes is None:
            known = self._means.probes
            probes = self._probes[names] = tuple(known[name] for name in names if name in known)
        mine = [probe for probe in probes if probe.transport == job.task.transport]
        return Desk(job.task, mine, self._means.budget, host=_peer_name(job))

    def _session(self, job: Job) -> Session:
        attempt, desk, task = job.attempt, job.desk, job.task
        assert attempt is not None and desk is not None  # noqa: S101, PT018 - for the type checker
        peer = Peer(
            host=_peer_name(job),
            port=task.port,
            transport=task.transport,
            tls=attempt.tls,
            measure_amplification=self._means.measure_amplification,
            nonce=self._means.nonce(),
        )
        return Session(
            attempt,
            peer,
            job.address,
            self._means.budget,
            max_connections=desk.connections_left,
            trace=self._tracer(job, attempt),
        )

    def _tracer(self, job: Job, attempt: Attempt) -> Tracer:
        trace = self._means.trace
        if trace is None:
            return silent
        key = (job.task.address, job.task.port, job.task.transport)
        what = attempt.probe.name if attempt.probe else "connect"
        trace(key, "note", f"{what}{' over TLS' if attempt.tls else ''} to {job.address}".encode())
        return lambda direction, data: trace(key, direction, data)

    # --- going on ---

    def _settle(self, job: Job) -> None:
        """After anything happened to a session: watch it, queue it, or take its ending."""
        session = job.session
        assert session is not None  # noqa: S101
        if session.phase is Phase.OVER:
            self._unwatch(job)
            ending = session.ending
            assert ending is not None  # noqa: S101
            job.session = None
            self._ended(job, ending)
        elif session.phase is Phase.WAITING:
            self._unwatch(job)
            self._pace.again(job.host, job)
        else:
            self._watch(job, session)

    def _watch(self, job: Job, session: Session) -> None:
        assert session.link is not None  # noqa: S101
        job.fd = session.link.socket.fileno()
        self._live.add(job)
        self._poller.watch(job.fd, job, read=session.wants_read, write=session.wants_write)
        if session.due < job.timer_at:
            job.timer_at = session.due
            self._count += 1
            heapq.heappush(self._timers, (session.due, self._count, job))

    def _unwatch(self, job: Job) -> None:
        if job.fd >= 0:
            self._poller.forget(job.fd)
            job.fd = -1
        self._live.discard(job)
        self._cap = min(self._limit, self._cap + 1)

    def _ended(self, job: Job, ending: Ending) -> None:
        desk, attempt = job.desk, job.attempt
        assert desk is not None and attempt is not None  # noqa: S101, PT018
        if self._means.trace is not None:
            key = (job.task.address, job.task.port, job.task.transport)
            self._means.trace(key, "note", f"{ending.kind} {ending.text}".strip().encode())
        desk.learn(attempt, ending)
        job.attempt = desk.next()
        if job.attempt is not None:
            self._pace.again(job.host, job)
            return
        self._pace.release(job.host)
        result = desk.result()
        assert result is not None  # noqa: S101
        self._done(job, result)

    # --- time ---

    def _wait(self, now: float) -> float:
        soonest = self._timers[0][0] if self._timers else _NEVER
        if len(self._live) < self._cap:
            wake = self._pace.wake_at(now)
            if wake is not None:
                soonest = min(soonest, max(wake, self._pause_until))
        if self._resolver.pending:
            soonest = min(soonest, now + 1.0)
        # Whatever is live has a timer: without one all was settled at once, and the loop may end.
        return 0.0 if soonest == _NEVER else max(0.0, soonest - now)

    def _expire(self, before: float) -> None:
        """Declare over what was due before the last look at the events, and only that."""
        while self._timers and self._timers[0][0] <= before:
            job = heapq.heappop(self._timers)[2]
            job.timer_at = _NEVER
            session = job.session
            if session is None or job not in self._live:
                continue
            if session.due <= before:
                session.expire(before)
            self._settle(job)

    # --- names ---

    def _look_up(self, job: Job) -> None:
        why = self._means.guard.refusal_of_name(job.name)
        if why is None:
            self._resolver.ask(job.name, job)
        else:
            self._give_up(job, Ending(kind="out-of-scope", text=why, connections=0))

    def _looked_up(self) -> None:
        for answer in self._resolver.answers():
            job = answer.token
            if answer.error:
                self._give_up(job, Ending(kind="local", text=answer.error, connections=0))
                continue
            guard, port = self._means.guard, job.task.port
            refusals = {one: guard.refusal(one, port, name=job.name) for one in answer.addresses}
            ours = [one for one, why in refusals.items() if why is None]
            if not ours:
                why = "; ".join(filter(None, refusals.values())) or f"{job.name} has no address"
                self._give_up(job, Ending(kind="out-of-scope", text=f"{job.name}: {why}", connections=0))
                continue
            job.address = job.host = ours[0]
            job.looked_up_at = monotonic()
            self._pace.add(job.host, job)

    def _give_up(self, job: Job, ending: Ending) -> None:
        self._done(job, Result(ending=ending, probe=None, connections=0, tls=False, said=b""))


def _peer_name(job: Job) -> str:
    return job.task.server_name or job.name or job.address


def _is_literal(address: str) -> bool:
    """Digits, dots and colons: an address or a slip in one, never a name to look up."""
    return ":" in address or address.replace(".", "").isdigit()
