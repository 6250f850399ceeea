"""A host that answers everything is recognised, and an honest one with three strange ports is not."""

import contextlib

import pytest
from peers import TOY, Server, ask, hello

from exposure_audit.model.observation import Observation
from exposure_audit.probe import everything


def _close(one: object) -> None:
    """Accept, and hang up."""


@pytest.mark.parametrize("tarpit", [True, False])
def test_canaries_are_sent_after_three_strange_ports(tarpit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.ExitStack() as stack:
        address = "127.0.6.1"
        strange = [stack.enter_context(Server(_close, address=address)) for _ in range(4)]
        known = stack.enter_context(Server(hello, address=address))
        canaries = [stack.enter_context(Server(_close, address=address)) for _ in range(2)] if tarpit else []
        ports = [one.port for one in canaries] or [1, 2]
        monkeypatch.setattr(everything.EverythingCheck, "_ports", lambda *_: ports)
        said = ask(*((address, one.port) for one in (*strange, known)), probes=[TOY])
    last: dict[int, Observation] = {one.port: one for one in said}
    assert set(last) == {one.port for one in (*strange, known)}, "canaries are no observations"
    marked = [one.port for one in last.values() if everything.NOTE in one.reason]
    assert sorted(marked) == (sorted(one.port for one in strange) if tarpit else [])
    assert last[known.port].verdict == "unauthenticated"


def test_canary_ports_are_dynamic_and_not_planned() -> None:
    planned = {("203.0.113.1", 49152 + offset, "tcp") for offset in range(5)}
    check = everything.EverythingCheck(planned, lambda: 3)
    observation = Observation(address="203.0.113.1", port=1, transport="tcp", verdict="unidentified")
    assert check.take(observation)[1] == []
    assert check.take(observation)[1] == []
    tasks = check.take(observation)[1]
    assert len({task.port for task in tasks}) == 2
    assert all(task.port >= 49152 and (task.address, task.port, "tcp") not in planned for task in tasks)
    assert check.take(observation)[1] == [], "only once an address"
