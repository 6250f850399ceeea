"""Hostile and broken peers: a verdict within its budget, never a crash, never a hang."""

import socket
import time
from collections.abc import Callable

import pytest
from peers import (
    FAST,
    HTTP,
    LOOPBACK,
    TOY,
    Server,
    ask,
    at_home,
    free_port,
    full_backlog,
    hello,
    probe,
    refuse,
    reset,
    silent,
)

from exposure_audit.model.observation import Facts, Observation
from exposure_audit.model.plan import Budget, Scope
from exposure_audit.probe.contract import Conversation, Cut, NotThis, Peer, Receive, Reconnect, Send


def quick(**more: float) -> Budget:
    return Budget(
        connect_seconds=0.4,
        total_seconds=0.8,
        max_bytes=int(more.get("max_bytes", 20_000)),
        max_connections=int(more.get("max_connections", 3)),
        per_address_rate=0,
        per_address_concurrency=0,
        global_rate=0,
    )


@pytest.fixture
def clock() -> Callable[[], float]:
    started = time.monotonic()
    return lambda: time.monotonic() - started


def only(found: list[Observation]) -> Observation:
    assert len(found) == 1
    return found[0]


def drip(one: socket.socket) -> None:
    one.recv(100)
    while True:
        one.sendall(b"x")
        time.sleep(0.05)


def flood(one: socket.socket) -> None:
    while True:
        one.sendall(b"\xff" * 65536)


def test_a_drip_costs_its_budget(clock: Callable[[], float]) -> None:
    with Server(drip) as server:
        seen = only(ask(("127.0.0.1", server.port), probes=[at_home(TOY, server.port)], budget=quick()))
    assert seen.verdict == "unidentified"
    assert seen.evidence.startswith("xxx")
    assert clock() < 5


def test_a_flood_costs_its_bytes(clock: Callable[[], float]) -> None:
    with Server(flood) as server:
        seen = only(ask(("127.0.0.1", server.port), budget=quick()))
    assert seen.verdict == "unidentified"
    assert clock() < 5


def test_an_endless_answer_is_cut_at_the_budget_and_the_probe_may_decide() -> None:
    """A probe that has proof already keeps it when the rest never ends."""

    def proven(peer: Peer) -> Conversation:
        yield Send(b"HI\r\n")
        got = 0
        try:
            while True:
                got += len((yield Receive(exactly=1000)))
        except Cut:
            return Facts(service="endless", verdict="limited", details={"got": got})

    with Server(flood) as server:
        one = probe(proven, ports=(server.port,))
        seen = only(ask(("127.0.0.1", server.port), probes=[one], budget=quick(max_bytes=20_000)))
    assert seen.verdict == "limited"
    assert 19_000 <= int(seen.details["got"]) <= 20_001


def test_silence_is_unidentified_and_says_how_long_it_stayed(clock: Callable[[], float]) -> None:
    with Server(silent) as server:
        seen = only(ask(("127.0.0.1", server.port), probes=[at_home(TOY, server.port)], budget=quick()))
    assert seen.verdict == "unidentified"
    assert "said nothing" in seen.reason
    assert seen.evidence == ""
    assert clock() < 5


@pytest.mark.parametrize("script", [reset, lambda one: one.close()])
def test_a_peer_that_hangs_up_at_once(script: Callable[[socket.socket], None]) -> None:
    with Server(script) as server:
        seen = only(ask(("127.0.0.1", server.port), budget=quick()))
    assert seen.verdict == "unidentified"
    assert server.connections <= 3


def test_half_an_answer_and_garbage() -> None:
    def half(one: socket.socket) -> None:
        one.recv(100)
        one.sendall(b"HELLO 4")

    def garbage(one: socket.socket) -> None:
        one.recv(100)
        one.sendall(bytes(range(256)))

    for script, words in ((half, "HELLO 4"), (garbage, "\x00\x01")):
        with Server(script) as server:
            seen = only(ask(("127.0.0.1", server.port), budget=quick()))
        assert seen.verdict == "unidentified"
        assert seen.evidence.startswith(words)


def test_an_answer_before_a_reset_counts() -> None:
    """RST throws away what we send, not what the server said before: protected-mode Redis does this."""

    def says_and_resets(one: socket.socket) -> None:
        one.sendall(b"HELLO 1.0\r\n")
        time.sleep(0.05)
        reset(one)

    def listens(peer: Peer) -> Conversation:
        line = yield Receive(until=b"\r\n")
        yield Send(b"BYE\r\n")
        return Facts(service="toy", verdict="blocked", evidence=line)

    with Server(says_and_resets) as server:
        seen = only(ask(("127.0.0.1", server.port), probes=[probe(listens, ports=(server.port,))]))
    assert seen.verdict == "blocked"


def test_a_refused_port_is_closed_without_a_second_try() -> None:
    seen = only(ask(("127.0.0.1", free_port())))
    assert (seen.verdict, seen.connections) == ("closed", 1)
    assert seen.observed_at == "2026-01-02T03:04:05Z"


def test_silence_at_connect_is_filtered_after_one_retry(clock: Callable[[], float]) -> None:
    with full_backlog() as port:
        seen = only(ask(("127.0.0.1", port), budget=quick()))
    assert (seen.verdict, seen.connections) == ("filtered", 2)
    assert 0.7 < clock() < 4


def test_a_probe_that_crashes_costs_its_own_port_only() -> None:
    def broken(peer: Peer) -> Conversation:
        yield Send(b"HI\r\n")
        yield Receive(at_most=10)
        raise ZeroDivisionError

    with Server(refuse) as first, Server(hello) as second:
        found = ask(
            ("127.0.0.1", first.port), ("127.0.0.1", second.port), probes=[probe(broken, name="broken"), TOY]
        )
    verdicts = {one.port: one for one in found}
    assert verdicts[first.port].verdict == "error"
    assert verdicts[first.port].reason == "probe broken failed: ZeroDivisionError"
    assert verdicts[second.port].verdict == "unauthenticated", "another probe recognised it"


def test_a_probe_that_returns_nonsense_or_never_ends_is_an_error() -> None:
    def nonsense(peer: Peer) -> Conversation:
        yield Send(b"HI\r\n")
        return None  # type: ignore[return-value]

    def endless(peer: Peer) -> Conversation:
        while True:
            yield Send(b"")

    def wrong(peer: Peer) -> Conversation:
        yield "please"  # type: ignore[misc]
        raise NotThis

    for one, words in ((nonsense, "returned NoneType"), (endless, "never ends"), (wrong, "yielded str")):
        with Server(refuse) as server:
            seen = only(ask(("127.0.0.1", server.port), probes=[probe(one)]))
        assert seen.verdict == "error"
        assert words in seen.reason


def test_a_peer_that_never_reads_costs_the_total_time(clock: Callable[[], float]) -> None:
    """Writes have a deadline too."""

    def loud(peer: Peer) -> Conversation:
        yield Send(b"x" * 50_000_000)
        yield Receive(at_most=1)
        raise NotThis

    with Server(lambda _: time.sleep(5)) as server:
        seen = only(ask(("127.0.0.1", server.port), probes=[probe(loud, ports=(server.port,))], budget=quick()))
    assert seen.verdict == "unidentified"
    assert clock() < 5


def test_reconnects_and_retries_stay_within_the_connections_of_the_budget() -> None:
    def restless(peer: Peer) -> Conversation:
        while True:
            yield Reconnect()

    with Server(silent) as server:
        seen = only(ask(("127.0.0.1", server.port), probes=[probe(restless), TOY, HTTP], budget=quick()))
        time.sleep(0.05)
        assert server.connections == 3
    assert seen.connections == 3
    assert seen.verdict == "unidentified"


def test_what_is_out_of_scope_is_refused_before_any_packet() -> None:
    with Server(hello) as server:
        seen = only(ask(("127.0.0.1", server.port), scope=Scope(targets=("127.0.0.0/8",))))
        assert server.connections == 0
    assert seen.verdict == "error"
    assert seen.reason.startswith("refused by the scope guard: ")


def test_addresses_of_the_internet_are_refused_under_loopback_only() -> None:
    scope = Scope(targets=("198.51.100.0/24", "127.0.0.1"), loopback_only=True)
    found = ask(("198.51.100.7", 80), ("169.254.169.254", 80), ("::ffff:127.0.0.1", 80), scope=scope)
    assert [one.verdict for one in found] == ["error"] * 3
    assert all("scope guard" in one.reason for one in found)


def test_secrets_in_a_reply_are_not_in_the_evidence() -> None:
    def tell(one: socket.socket) -> None:
        one.recv(100)
        one.sendall(b"\x1b[31mpassword=hunter2\r\n")

    with Server(tell) as server:
        seen = only(ask(("127.0.0.1", server.port)))
    assert "hunter2" not in seen.evidence
    assert "password=" in seen.evidence


def test_ctrl_c_passes_through_and_leaves_no_socket_open() -> None:
    def interrupt(observation: Observation) -> None:
        raise KeyboardInterrupt

    from exposure_audit.model.plan import ProbePlan, Task
    from exposure_audit.probe.run import run_plan

    with Server(silent) as server, Server(hello) as quickly:
        tasks = tuple(
            Task(address="127.0.0.1", port=port, transport="tcp", probes=("toy",))
            for port in (server.port, quickly.port)
        )
        plan = ProbePlan(tasks=tasks, scope=LOOPBACK, budget=FAST)
        with pytest.raises(KeyboardInterrupt):
            run_plan(plan, probes={"toy": TOY}, on_observation=interrupt)
        deadline = time.monotonic() + 3
        while any(one.fileno() >= 0 for one in server.open) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert all(one.fileno() < 0 for one in server.open), "the peer saw no end of our connection"
