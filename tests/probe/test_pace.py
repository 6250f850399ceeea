"""Politeness in simulated time: no rate, no number of conversations is ever exceeded, and everybody gets a turn."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.model.plan import Budget
from exposure_audit.probe.pace import Pace


def budget(*, rate: float = 0, slots: int = 0, everything: float = 0) -> Budget:
    return Budget(per_address_rate=rate, per_address_concurrency=slots, global_rate=everything)


def test_without_limits_addresses_take_turns() -> None:
    pace: Pace[str] = Pace(budget(), 0.0)
    for host in ("a", "b", "c"):
        for number in (1, 2):
            pace.add(host, f"{host}{number}")
    assert [pace.take(0.0) for _ in range(7)] == ["a1", "b1", "c1", "a2", "b2", "c2", None]


def test_one_conversation_at_a_time_holds_its_slot_through_retries() -> None:
    pace: Pace[str] = Pace(budget(slots=1), 0.0)
    pace.add("a", "first")
    pace.add("a", "second")
    assert pace.take(0.0) == "first"
    assert pace.take(0.0) is None
    pace.again("a", "first, retried")
    assert pace.take(0.0) == "first, retried"
    assert pace.take(0.0) is None
    pace.release("a")
    assert pace.take(0.0) == "second"


def test_what_was_begun_is_finished_before_anything_new() -> None:
    """With three in flight, a hundred addresses and two connections each, answers come from the start."""
    pace: Pace[str] = Pace(Budget(per_address_rate=0, global_rate=0), 0.0)
    for number in range(6):
        pace.add(f"192.0.2.{number}", f"first {number}")
    assert [pace.take(0.0), pace.take(0.0)] == ["first 0", "first 1"]
    pace.again("192.0.2.1", "second 1")
    assert pace.take(0.0) == "second 1"
    assert pace.take(0.0) == "first 2"


def test_retries_wait_for_the_rate_too() -> None:
    pace: Pace[str] = Pace(budget(rate=5), 0.0)
    pace.add("a", "first")
    assert pace.take(0.0) == "first"
    pace.again("a", "retry")
    assert pace.take(0.19) is None
    assert pace.wake_at(0.0) == 0.2
    assert pace.take(0.2) == "retry"


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=60),
    st.sampled_from([0.0, 2.0, 5.0]),
    st.integers(0, 3),
    st.sampled_from([0.0, 20.0, 100.0]),
)
def test_no_limit_is_exceeded_and_all_get_their_turn(
    hosts: list[int], rate: float, slots: int, everything: float
) -> None:
    pace: Pace[int] = Pace(budget(rate=rate, slots=slots, everything=everything), 0.0)
    for host in hosts:
        pace.add(str(host), host)
    now = 0.0
    starts: list[tuple[float, int]] = []
    running: list[tuple[float, int]] = []
    while pace.waiting or running:
        item = pace.take(now)
        if item is not None:
            starts.append((now, item))
            running.append((now + 0.5, item))
            assert not slots or sum(1 for _, host in running if host == item) <= slots
            continue
        wake = pace.wake_at(now)
        ends = min((end for end, _ in running), default=None)
        now = max(now, min(time for time in (wake, ends) if time is not None)) + 1e-6
        for end, host in [one for one in running if one[0] <= now]:
            running.remove((end, host))
            pace.release(str(host))
    assert sorted(host for _, host in starts) == sorted(hosts)
    if rate:
        for host in set(hosts):
            times = [time for time, other in starts if other == host]
            assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in pairwise(times))
    if everything:
        burst = max(1.0, everything * 0.05)
        for at, (first, _) in enumerate(starts):
            within = sum(1 for time, _ in starts[at:] if time < first + 1)
            assert within <= everything + burst + 1
