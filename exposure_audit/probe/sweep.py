"""Which ports are open, before anybody is talked to: much faster than conversations, and memory grows with nothing.

Sockets are used again and again: after a refusal, connecting again fetches the error and frees the socket; after a
success or a time-out, connecting to AF_UNSPEC does (and sends RST). That saves three system calls of four. Needs
Linux; elsewhere conversations find out by themselves.
"""

import errno
import select
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Literal

from exposure_audit.model.plan import Budget, Task
from exposure_audit.probe.failures import ending_of
from exposure_audit.probe.guard import ScopeGuard
from exposure_audit.probe.limits import LOCAL_EXHAUSTION
from exposure_audit.probe.link import IN_PROGRESS, family_of
from exposure_audit.probe.pace import Pace

Found = Literal["open", "refused", "no-answer", "local", "out-of-scope"]
Report = Callable[[Task, Found, str, int], None]
"""Called with the task, what was found, words about it, and how many connections it took."""

MAX_TRIES = 2
_PAUSE = 0.05
_EDGES = (getattr(select, "EPOLLIN", 0) | getattr(select, "EPOLLOUT", 0)) | getattr(select, "EPOLLET", 0)
_UNSPECIFIED = bytes(28)
"""A sockaddr whose family is AF_UNSPEC (0): connect(2), "dissolve the association"."""


def can_sweep() -> bool:
    """Say whether this system has what a sweep needs."""
    return sys.platform == "linux" and hasattr(select, "epoll")


class Sweep:
    """One sweep over many tasks."""

    def __init__(self, budget: Budget, guard: ScopeGuard, *, in_flight: int, report: Report) -> None:
        import ctypes

        self._budget, self._guard, self._report = budget, guard, report
        self._pace: Pace[tuple[Task, int]] = Pace(budget, monotonic())
        self._epoll = select.epoll()
        self._disconnect = ctypes.CDLL(None, use_errno=True).connect
        self._sockets: dict[int, socket.socket] = {}
        self._idle: dict[int, list[socket.socket]] = {socket.AF_INET: [], socket.AF_INET6: []}
        self._asking: dict[int, tuple[Task, int]] = {}
        self._queue: deque[tuple[float, int, Task, int]] = deque()
        """Since, descriptor, task, try: all wait equally long, so the queue is in order of time."""
        self._cap = max(1, in_flight)
        self._pause_until = 0.0

    def run(self, tasks: Iterable[Task]) -> None:
        """Ask every task's port once, silent ones twice; addresses take turns."""
        for task in tasks:
            self._pace.add(task.address, (task, 1))
        try:
            while self._asking or self._pace.waiting:
                self._start(monotonic())
                wait = self._wait(monotonic())
                before = monotonic()
                # Rounded up: a wait that ends a hair too early is a busy loop.
                for fd, _ in self._epoll.poll(wait + 0.0005, max(1, len(self._sockets))):
                    if fd in self._asking:
                        self._look(fd)
                self._expire(before)
        finally:
            self.close()

    def close(self) -> None:
        """Close every socket."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()
        self._asking.clear()
        self._epoll.close()

    def _start(self, now: float) -> None:
        while now >= self._pause_until and len(self._asking) < self._cap:
            turn = self._pace.take(now)
            if turn is None:
                return
            self._ask(*turn)

    def _ask(self, task: Task, tries: int) -> None:
        """Send the first packet: the only place that does."""
        why = self._guard.refusal(task.address, task.port)
        if why is not None:
            self._end(task, "out-of-scope", why, 0)
            return
        family = family_of(task.address)
        try:
            one = self._idle[family].pop() if self._idle[family] else self._open(family)
        except OSError as error:
            self._trouble(task, tries, error.errno or 1)
            return
        code = one.connect_ex((task.address, task.port))
        if code in IN_PROGRESS:
            fd = one.fileno()
            self._asking[fd] = (task, tries)
            self._queue.append((monotonic(), fd, task, tries))
        elif code in LOCAL_EXHAUSTION:
            self._idle[family].append(one)
            self._trouble(task, tries, code)
        else:
            self._free(one, again=code == 0)
            self._answer(task, tries, code)

    def _open(self, family: int) -> socket.socket:
        one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._epoll.register(one.fileno(), _EDGES)
        self._sockets[one.fileno()] = one
        return one

    def _look(self, fd: int) -> None:
        """Fetch what became of a connect: asking again tells, and sends nothing while one is under way."""
        task, tries = self._asking[fd]
        one = self._sockets[fd]
        code = one.connect_ex((task.address, task.port))
        if code in IN_PROGRESS:
            return
        if code == errno.EISCONN:
            code = 0
        del self._asking[fd]
        self._free(one, again=code == 0)
        self._answer(task, tries, code)

    def _free(self, one: socket.socket, *, again: bool) -> None:
        """Make a socket fit for the next target."""
        if again:
            self._disconnect(one.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
        self._idle[one.family].append(one)

    def _answer(self, task: Task, tries: int, code: int) -> None:
        kind, text = ending_of(code) if code else ("reset", "")
        if kind == "reset":
            self._end(task, "open", "", tries)
        elif kind == "no-answer":
            self._silent(task, tries, text)
        else:
            self._end(task, "refused" if kind == "refused" else "local", text, tries)

    def _silent(self, task: Task, tries: int, text: str) -> None:
        """A packet can be lost: silence gets a second try."""
        if tries < MAX_TRIES:
            self._pace.again(task.address, (task, tries + 1))
        else:
            self._end(task, "no-answer", text, tries)

    def _trouble(self, task: Task, tries: int, code: int) -> None:
        """Out of sockets or ports: slow down when others of ours will free some, else say so."""
        if code in LOCAL_EXHAUSTION and self._asking:
            self._cap = max(1, len(self._asking))
            self._pause_until = monotonic() + _PAUSE
            self._pace.again(task.address, (task, tries))
        else:
            self._end(task, "local", ending_of(code)[1], tries - 1)

    def _end(self, task: Task, found: Found, text: str, connections: int) -> None:
        self._pace.release(task.address)
        self._report(task, found, text, connections)

    def _wait(self, now: float) -> float:
        soonest = self._queue[0][0] + self._budget.connect_seconds if self._queue else now + 1.0
        if len(self._asking) < self._cap:
            wake = self._pace.wake_at(now)
            if wake is not None:
                soonest = min(soonest, max(wake, self._pause_until))
        return max(0.0, soonest - now)

    def _expire(self, before: float) -> None:
        """Declare silent what was due before the last look at the events, and only that."""
        limit = before - self._budget.connect_seconds
        while self._queue and self._queue[0][0] <= limit:
            _, fd, task, tries = self._queue.popleft()
            if self._asking.get(fd) != (task, tries):
                continue
            del self._asking[fd]
            self._free(self._sockets[fd], again=True)
            self._silent(task, tries, f"no answer within {self._budget.connect_seconds:g} s")
