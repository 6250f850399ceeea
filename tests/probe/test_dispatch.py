"""Which question comes next, without any network: endings in, attempts out."""

import pytest
from peers import HTTP, TOY, at_home, probe

from exposure_audit.model.observation import Facts
from exposure_audit.model.plan import Budget, Task
from exposure_audit.probe.contract import Conversation, NotThis, Peer, Probe, Receive, Send
from exposure_audit.probe.dispatch import Desk
from exposure_audit.probe.endings import Attempt, Ending, Kind
from exposure_audit.probe.speech import Speech, speech


def _asks(peer: Peer) -> Conversation:
    yield Send(b"?")
    raise NotThis


def _greeted(peer: Peer) -> Conversation:
    yield Receive(at_most=100)
    raise NotThis


LINE = probe(_asks, name="line", family="line")
BINARY = probe(_asks, name="binary", family="binary")
GREETED = probe(_greeted, name="greeted", family="binary")


def desk(*probes: Probe, port: int = 7, transport: str = "tcp", connections: int = 6) -> Desk:
    task = Task(address="203.0.113.1", port=port, transport="udp" if transport == "udp" else "tcp")
    return Desk(task, probes, Budget(max_connections=connections), host="203.0.113.1")


def end(kind: Kind = "not-this", said: bytes = b"", **more: object) -> Ending:
    return Ending(kind=kind, said=said, open_seconds=0.0 if kind in {"refused", "no-answer"} else 0.1, **more)  # type: ignore[arg-type]


def play(at: Desk, *endings: Ending) -> list[str]:
    """Answer each attempt with the next ending; return the attempts as words."""
    asked = []
    for ending in endings:
        attempt = at.next()
        if attempt is None:
            break
        asked.append(f"{attempt.probe.name if attempt.probe else 'nothing'}{'+tls' if attempt.tls else ''}")
        at.learn(attempt, ending)
    else:
        left = at.next()
        if left is not None:
            asked.append("…")
    return asked


def test_families_take_turns_and_who_waits_for_a_greeting_comes_last() -> None:
    said = end(said=b"\x00\x01")
    assert play(desk(GREETED, HTTP, TOY, LINE), end(said=b"no idea\r\n"), *[end(said=b"x")] * 5) == [
        "toy", "line", "toy-http",
    ]  # fmt: skip
    assert play(desk(GREETED, BINARY, TOY), said, said, said) == ["toy", "binary", "greeted"]


def test_home_comes_first_and_keeps_its_question_whatever_is_heard() -> None:
    home = at_home(BINARY, 7)
    assert play(desk(TOY, HTTP, home), *[end(said=b"HTTP/1.1 400 no\r\n")] * 3) == ["binary", "toy-http"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (b"", "silence"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", "tls"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", "tls"),
        (b"HTTP/1.1 200 OK\r\n", "http"),
        (b"-ERR unknown\r\n", "line"),
        (b"SSH-2.0-x", "line"),
        (b"\x4a\x00\x00\x00\x0a8.0", "binary"),
        (b"\r\n", "binary"),
    ],
)
def test_what_a_reply_gives_away(said: bytes, what: Speech) -> None:
    assert speech(said) == what


def test_silence_makes_tls_suspected_once() -> None:
    silent, no_tls = end("ended"), end("no-tls")
    assert play(desk(LINE, BINARY), silent, no_tls, silent, silent, silent) == ["line", "line+tls", "binary"]
    stands = end(said=b"x\r\n", tls=True)
    assert play(desk(LINE, BINARY), silent, stands, stands, stands) == ["line", "line+tls"]


def test_a_tls_port_is_asked_over_tls_and_in_clear_when_there_is_none() -> None:
    home = at_home(LINE, 7, tls=True)
    assert play(desk(home), end("no-tls"), end(said=b"x")) == ["line+tls", "line"]


def test_silence_at_connect_is_retried_once_and_a_refusal_never() -> None:
    silent = desk(LINE, BINARY)
    assert play(silent, end("no-answer"), end("no-answer")) == ["line", "line"]
    result = silent.result()
    assert result is not None
    assert (result.ending.kind, result.connections) == ("no-answer", 2)
    assert play(desk(LINE, BINARY), end("refused")) == ["line"]


def test_a_port_that_was_open_once_is_not_called_closed() -> None:
    at = desk(LINE, BINARY)
    play(at, end(said=b"\x00"), end("refused"))
    result = at.result()
    assert result is not None
    assert result.ending.kind == "ended"


def test_facts_end_the_questions_and_connections_are_bounded() -> None:
    facts = end("facts", facts=Facts(service="s", verdict="limited"))
    assert play(desk(LINE, BINARY), facts) == ["line"]
    assert len(play(desk(LINE, HTTP, BINARY, TOY, connections=2), *[end(said=b"\r\nx")] * 9)) == 2


def test_udp_is_asked_again_once_when_silent() -> None:
    udp = probe(_asks, name="udp", transport="udp", ports=(7,))
    assert play(desk(udp, transport="udp"), end("stalled"), end("stalled"), end("stalled")) == ["udp", "udp"]
    assert play(desk(udp, transport="udp"), end(said=b"?")) == ["udp"]


def test_patience_is_long_at_home_and_short_with_strangers() -> None:
    budget = Budget()
    home: Attempt | None = desk(at_home(LINE, 7)).next()
    stranger = desk(LINE).next()
    assert home is not None
    assert stranger is not None
    assert (home.patience, home.listen) == (budget.total_seconds, 0.0)
    assert (stranger.patience, stranger.listen) == (budget.connect_seconds, 0.3)
