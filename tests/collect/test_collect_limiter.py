"""The arithmetic of the quotas, with a clock that the test turns."""

import pytest

from exposure_audit.collect.contract import Pace
from exposure_audit.collect.limiter import Bucket, Limiter

PACE = Pace(rate=5.0, burst=10, shared=False)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    bucket = Bucket(PACE, Clock())
    assert [bucket.reserve() for _ in range(10)] == [0.0] * 10
    # The clock stands still: the eleventh waits for one token at 5 a second, the twelfth for two.
    assert bucket.reserve() == pytest.approx(0.2)
    assert bucket.reserve() == pytest.approx(0.4)


def test_rest_fills_the_bucket_but_not_beyond_its_size() -> None:
    clock = Clock()
    bucket = Bucket(PACE, clock)
    for _ in range(10):
        bucket.reserve()
    clock.now += 1.0
    assert [bucket.reserve() for _ in range(5)] == [0.0] * 5
    assert bucket.reserve() > 0
    clock.now += 3600
    assert [bucket.reserve() for _ in range(10)] == [0.0] * 10
    assert bucket.reserve() > 0


def test_throttling_halves_the_rate_at_once_and_answers_give_it_back_slowly() -> None:
    bucket = Bucket(PACE, Clock())
    bucket.throttled()
    assert bucket.rate == 2.5
    assert bucket.reserve() == pytest.approx(1 / 2.5)
    for _ in range(20):
        bucket.throttled()
    assert bucket.rate == 0.2
    bucket.answered()
    assert bucket.rate == pytest.approx(0.45)
    for _ in range(40):
        bucket.answered()
    assert bucket.rate == 5.0


def test_who_shares_a_quota() -> None:
    limiter = Limiter(Clock())
    shared = Pace(rate=8.0, burst=10, shared=True)
    one = limiter.bucket(PACE, "1", "r", "ec2", "describe_vpcs")
    assert limiter.bucket(PACE, "1", "r", "ec2", "describe_vpcs") is one
    assert limiter.bucket(PACE, "1", "r", "ec2", "describe_subnets") is not one
    assert limiter.bucket(PACE, "1", "s", "ec2", "describe_vpcs") is not one
    assert limiter.bucket(PACE, "2", "r", "ec2", "describe_vpcs") is not one
    balancing = limiter.bucket(shared, "1", "r", "elbv2", "describe_rules")
    assert limiter.bucket(shared, "1", "r", "elbv2", "describe_listeners") is balancing
