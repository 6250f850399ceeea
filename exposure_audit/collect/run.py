"""Runs calls of many places at once: whatever hangs or fails in one place, the others go on.

A place (one account in one region) gets one call until it has answered anything, then several: a region that hangs
holds up one worker, not all. Calls that need the answers of others wait for them.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from exposure_audit.collect.contract import Call, Place
from exposure_audit.model.inventory import Coverage
from exposure_audit.model.progress import Progress

Ask = Callable[[Place, Call], Coverage]
Work = Mapping[Place, Iterable[Call]]

WORKERS = 12
PER_PLACE = 4
_GOODBYE = 2.0
"""Seconds that an interrupted run waits for answers that are on their way."""


class _Place:
    """What is left to do in a place."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.waiting = [*calls]
        self.done: set[str] = set()
        self.busy = 0
        self.answers = False

    def take(self) -> Call | None:
        """The next call whose needs are met, if the place may have one more."""
        if self.busy >= (PER_PLACE if self.answers else 1):
            return None
        for index, call in enumerate(self.waiting):
            if not call.per or self.done.issuperset(call.per.needs):
                self.busy += 1
                return self.waiting.pop(index)
        return None

    def finish(self, row: Coverage) -> bool:
        """Note the end of a call; True when it was the last one."""
        self.busy -= 1
        self.done.add(row.call)
        self.answers = self.answers or row.status not in {"failed", "skipped"}
        return not self.busy and not self.waiting


class _Crew:
    """Daemon threads: a region that hangs must not hold up the end of an interrupted program."""

    def __init__(self, ask: Ask, size: int) -> None:
        self._ask = ask
        self._inbox: queue.SimpleQueue[tuple[Place, Call] | None] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[tuple[Place, Coverage | BaseException]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def give(self, place: Place, call: Call) -> None:
        self._inbox.put((place, call))

    def dismiss(self, patience: float) -> None:
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join(patience / len(self._threads))

    def _work(self) -> None:
        while job := self._inbox.get():
            place, call = job
            try:
                result: Coverage | BaseException = self._ask(place, call)
            except BaseException as error:  # noqa: BLE001 - raised again where somebody can see it
                result = error
            self.outbox.put((place, result))


def run_calls(
    work: Work,
    ask: Ask,
    leave: Callable[[Place], None],
    rows: list[Coverage],
    *,
    stop: threading.Event,
    progress: Progress,
) -> None:
    """Make all calls and add a coverage row for each to `rows`; `leave` is called when a place is finished.

    An interruption, or an exception of `ask`, sets `stop`, waits shortly for what is on its way, and goes on up.
    """
    total = sum(len([*calls]) for calls in work.values())
    ahead = deque(work.items())
    active: dict[Place, _Place] = {}
    crew = _Crew(ask, WORKERS)
    finished = 0
    try:
        while ahead or active:
            while ahead and len(active) < WORKERS:
                place, calls = ahead.popleft()
                active[place] = _Place(calls)
            _hand_out(active, crew)
            place, result = crew.outbox.get()
            if isinstance(result, BaseException):
                raise result
            rows.append(result)
            finished += 1
            progress("collect", finished, total)
            if active[place].finish(result):
                del active[place]
                leave(place)
    except BaseException:
        stop.set()
        raise
    finally:
        crew.dismiss(_GOODBYE)
        while stop.is_set() and not crew.outbox.empty():
            _, result = crew.outbox.get()
            if isinstance(result, Coverage):
                rows.append(result)


def _hand_out(active: dict[Place, _Place], crew: _Crew) -> None:
    """Give every place what it may have, one call each in turn."""
    given = True
    while given:
        given = False
        for place, state in active.items():
            call = state.take()
            if call:
                crew.give(place, call)
                given = True
