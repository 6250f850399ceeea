"""Makes one call to its end: all pages, all resources, with the patience that its quota allows."""

import random
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec

from exposure_audit.collect.aws.outcome import Outcome, classify
from exposure_audit.collect.contract import Call, Parameters
from exposure_audit.collect.limiter import Bucket

_MAX_PAGES = 10_000
_MOST_FAILURES = 3
"""A per-resource call that failed for so many resources in a row is not asked for the rest."""


_SILENT_SECONDS = 10.0


class Patience(msgspec.Struct, frozen=True):
    """How often a call is asked again, and the first pause in seconds, doubled each time."""

    throttled: int = 6
    transient: int = 3
    silent: int = 2
    pause: float = 0.5
    longest_pause: float = 15.0


class Refusal(Exception):
    """The call ended without an answer."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class Stopped(Exception):
    """The user interrupted the run."""


class Asker:
    """Sends requests of one call in one place: waits for tokens, asks again, joins pages."""

    def __init__(
        self,
        method: Callable[..., dict[str, Any]],
        call: Call,
        bucket: Bucket,
        patience: Patience,
        stop: threading.Event,
    ) -> None:
        self._method = method
        self._call = call
        self._bucket = bucket
        self._patience = patience
        self._stop = stop

    def all_pages(self, parameters: Parameters) -> bytes:
        """The JSON of an answer, its lists joined over the pages. Raises Refusal, Stopped.

        Pages are encoded one by one and forgotten: what is kept is bytes, not dictionaries.
        """
        joined: dict[str, list[bytes]] = {}
        single: dict[str, Any] = {}
        paging = self._call.paging
        asked = {**self._call.parameters, **parameters}
        if paging:
            asked[paging.size_parameter] = paging.size
        token = None
        for _ in range(_MAX_PAGES):
            answer = self._patiently(asked)
            self._keep(answer, joined, single)
            following = answer.get(paging.token) if paging else None
            if not paging or not following:
                return _object(joined, single)
            if following == token:
                raise Refusal(Outcome("failed", "the pages run in a circle"))
            token = asked[paging.parameter] = following
        raise Refusal(Outcome("failed", f"more than {_MAX_PAGES} pages"))

    def _keep(self, answer: dict[str, Any], joined: dict[str, list[bytes]], single: dict[str, Any]) -> None:
        for key in self._call.results:
            value = answer.get(key)
            if isinstance(value, list):
                kept = joined.setdefault(key, [])
                if value:
                    kept.append(msgspec.json.encode(value)[1:-1])
            elif value is not None:
                single.setdefault(key, value)
            else:
                # An answer without its list is no answer, however well it was formed.
                raise Refusal(Outcome("failed", f"the answer holds no {key}"))

    def _patiently(self, parameters: Parameters) -> dict[str, Any]:
        attempts = {"throttled": 0, "transient": 0, "silent": 0}
        limits = {"throttled": self._patience.throttled, "transient": self._patience.transient}
        limits["silent"] = self._patience.silent
        while True:
            self._sleep(self._bucket.reserve())
            asked_at = monotonic()
            try:
                answer = self._method(**parameters)
            except Exception as error:  # noqa: BLE001 - botocore's parsers and urllib3 raise what they like
                outcome = classify(error)
                if outcome.retry == "transient" and monotonic() - asked_at > _SILENT_SECONDS:
                    # To hold the line and hang up says no more than to say nothing.
                    outcome = msgspec.structs.replace(outcome, retry="silent")
            else:
                self._bucket.answered()
                return answer
            if outcome.retry == "no":
                raise Refusal(outcome)
            if outcome.retry == "throttled":
                self._bucket.throttled()
            attempts[outcome.retry] += 1
            if attempts[outcome.retry] >= limits[outcome.retry]:
                raise Refusal(outcome)
            pause = self._patience.pause * 2 ** (sum(attempts.values()) - 1)
            self._sleep(min(pause, self._patience.longest_pause) * (0.5 + random.random() / 2))

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds) if seconds > 0 else self._stop.is_set():
            raise Stopped


def _object(joined: dict[str, list[bytes]], single: dict[str, Any]) -> bytes:
    parts = [msgspec.json.encode(key) + b":[" + b",\n".join(items) + b"]" for key, items in joined.items()]
    parts += [msgspec.json.encode(key) + b":" + msgspec.json.encode(value) for key, value in single.items()]
    return b"{" + b",".join(parts) + b"}\n"


def each_resource(
    ask: Callable[[Parameters], bytes], wanted: dict[str, Parameters], before: dict[str, msgspec.Raw]
) -> tuple[bytes, Outcome | None]:
    """Ask for every resource that `before` does not hold; return the whole file and what went wrong first.

    A refusal that concerns all resources alike ends the round; what was answered is kept.
    """
    kept: dict[str, msgspec.Raw] = dict(before)
    wrong: Outcome | None = None
    failures = 0
    for native_id in sorted(wanted.keys() - before.keys()):
        try:
            kept[native_id] = msgspec.Raw(ask(wanted[native_id]).strip())
        except Stopped:
            return _file(kept), Outcome("skipped", "interrupted")
        except Refusal as refusal:
            named = msgspec.structs.replace(refusal.outcome, detail=f"{native_id}: {refusal.outcome.detail}")
            wrong = wrong or named
            failures += 1
            if not refusal.outcome.gone and (refusal.outcome.status != "failed" or failures >= _MOST_FAILURES):
                break
        else:
            failures = 0
    return _file(kept), wrong


def _file(kept: dict[str, msgspec.Raw]) -> bytes:
    return msgspec.json.encode(kept) + b"\n"
