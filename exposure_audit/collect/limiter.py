"""Holds back calls so that they stay a small share of a documented quota, and shrinks first when throttled.

The quotas of a cloud account are shared with what runs there: an audit that uses them up breaks autoscaling. So
each quota has a token bucket far below the documented one; a throttled call halves its rate at once, an answered
one gives a little back (additive increase, multiplicative decrease).
"""

import threading
import time
from collections.abc import Callable

from exposure_audit.collect.contract import Pace

_FLOOR = 0.2
"""Calls a second that a shrunk quota never goes below."""
_RECOVERY = 0.05
"""The share of the full rate that an answered call gives back."""

Now = Callable[[], float]
Wait = Callable[[float], object]


class Bucket:
    """Tokens of one quota. Thread-safe; the caller sleeps, not the bucket."""

    def __init__(self, pace: Pace, now: Now) -> None:
        self._pace = pace
        self._now = now
        self._lock = threading.Lock()
        self._rate = pace.rate
        self._tokens = float(pace.burst)
        self._at = now()

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        return self._rate

    def reserve(self) -> float:
        """Take one token, on credit if need be; return how many seconds to wait before using it."""
        with self._lock:
            now = self._now()
            self._tokens = min(self._pace.burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)

    def throttled(self) -> None:
        """Halve the rate and forget what was saved up."""
        with self._lock:
            self._rate = max(_FLOOR, self._rate / 2)
            self._tokens = min(self._tokens, 0.0)

    def answered(self) -> None:
        """Give a little of the rate back."""
        with self._lock:
            self._rate = min(self._pace.rate, self._rate + self._pace.rate * _RECOVERY)


class Limiter:
    """One bucket a quota: (account, region, service), and the operation where each has its own."""

    def __init__(self, now: Now = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def bucket(self, pace: Pace, account: str, region: str, service: str, operation: str) -> Bucket:
        """The bucket that a call draws on."""
        key = (account, region, service) if pace.shared else (account, region, service, operation)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = Bucket(pace, self._now)
            return self._buckets[key]
