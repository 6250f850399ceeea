"""Politeness: which connection may be opened next.

Each address has its own queue, rate and number of conversations; a token bucket bounds the whole; addresses take
turns, so that no host sees a burst. A conversation holds its slot from the first connection to its end, and each
further connection of it (a retry, a Reconnect) waits for the rates again, before anything new anywhere: what was
begun is finished first, so that a run that is stopped has answers and not ten thousand beginnings.
"""

import heapq
from collections import deque
from typing import Generic, TypeVar

from exposure_audit.model.plan import Budget

T = TypeVar("T")

_BURST_SECONDS = 0.05
"""How much of the global rate may come at once: a twentieth of a second of it."""


class _Host(Generic[T]):
    __slots__ = ("active", "fresh", "more", "next_at", "queued")

    def __init__(self) -> None:
        self.fresh: deque[T] = deque()
        self.more: deque[T] = deque()
        self.active = 0
        self.next_at = 0.0
        self.queued = False


class Pace(Generic[T]):
    """Queues of connections to open. Times are those of one monotonic clock, in seconds."""

    def __init__(self, budget: Budget, now: float) -> None:
        self._interval = 1 / budget.per_address_rate if budget.per_address_rate > 0 else 0.0
        self._slots = budget.per_address_concurrency if budget.per_address_concurrency > 0 else 1 << 30
        self._rate = budget.global_rate
        self._burst = max(1.0, budget.global_rate * _BURST_SECONDS)
        self._tokens = self._burst
        self._filled_at = now
        self._hosts: dict[str, _Host[T]] = {}
        self._due: deque[_Host[T]] = deque()
        self._begun: deque[_Host[T]] = deque()
        """Of those that may go on now, the ones in the middle of a conversation."""
        self._later: list[tuple[float, int, _Host[T]]] = []
        self._count = 0
        self.waiting = 0
        """Connections that are queued."""

    def add(self, host: str, item: T) -> None:
        """Queue the first connection of a new conversation."""
        place = self._hosts.get(host)
        if place is None:
            place = self._hosts[host] = _Host()
        place.fresh.append(item)
        self.waiting += 1
        self._queue(place)

    def again(self, host: str, item: T) -> None:
        """Queue a further connection of a conversation that holds a slot."""
        place = self._hosts[host]
        place.more.append(item)
        self.waiting += 1
        self._queue(place)

    def release(self, host: str) -> None:
        """A conversation is over: its slot is free."""
        place = self._hosts[host]
        place.active -= 1
        self._queue(place)

    def take(self, now: float) -> T | None:
        """Return what may be opened now; None when nothing may."""
        while self._later and self._later[0][0] <= now:
            self._may_go(heapq.heappop(self._later)[2])
        ready = self._begun or self._due
        if not ready or not self._spend(now):
            return None
        place = ready.popleft()
        place.queued = False
        if place.more:
            item = place.more.popleft()
        else:
            item = place.fresh.popleft()
            place.active += 1
        place.next_at = now + self._interval
        self.waiting -= 1
        self._queue(place)
        return item

    def wake_at(self, now: float) -> float | None:
        """Return when `take` may succeed next if nothing is released; None when never."""
        if self._due or self._begun:
            return now if self._rate <= 0 else now + max(0.0, (1 - self._tokens) / self._rate)
        return self._later[0][0] if self._later else None

    def _queue(self, place: _Host[T]) -> None:
        if place.queued or not (place.more or (place.fresh and place.active < self._slots)):
            return
        place.queued = True
        if self._interval:
            self._count += 1
            heapq.heappush(self._later, (place.next_at, self._count, place))
        else:
            self._may_go(place)

    def _may_go(self, place: _Host[T]) -> None:
        (self._begun if place.more else self._due).append(place)

    def _spend(self, now: float) -> bool:
        if self._rate <= 0:
            return True
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        # A hair less than one: floating point must not make the caller wait for nothing.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True
