"""Any server may say anything: each probe ends with Facts, NotThis or Cut, within a bounded number of steps."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay import Ending, Server, Step, load, play, transcripts

from exposure_audit.probe.catalog import PROBES
from exposure_audit.probe.contract import Command, Conversation, Cut, NotThis, Peer, Probe, Receive, Send

COMMANDS = 2000


def conversation(probe: Probe) -> Conversation:
    return probe.converse(Peer(host="192.0.2.1", port=probe.ports[0], transport=probe.transport))


def pieces(probe: Probe) -> st.SearchStrategy[list[bytes]]:
    """Random bytes between true ones: what servers of this kind really say gets a fuzzer past the first line."""
    real = [step.said for path in transcripts(probe.name) for step in load(path).talk if step.said]
    return st.lists(st.binary(max_size=40) | st.sampled_from(real), max_size=8)


@pytest.mark.parametrize("name", PROBES)
def test_random_bytes_between_true_ones(name: str) -> None:
    probe = PROBES[name]

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(said=pieces(probe), chatty=st.booleans())
    def run(said: list[bytes], chatty: bool) -> None:
        steps = [] if chatty else [Step(send="")]
        for piece in said:
            steps += [Step(receive_hex=piece.hex())] if chatty else [Step(receive_hex=piece.hex()), Step(send="")]
        server = Server([*steps, Step(close="fin")], datagrams=probe.transport == "udp", strict=False)
        play(conversation(probe), server)

    run()


def drive(probe: Probe, answer: Callable[[Receive], bytes | Cut]) -> tuple[Ending | None, int]:
    """Answer every Receive; return how it ended (None: it never does) and how often it sent."""
    talk, sent = conversation(probe), 0
    try:
        command: Command = next(talk)
        for _ in range(COMMANDS):
            sent += isinstance(command, Send)
            said = answer(command) if isinstance(command, Receive) else b""
            command = talk.throw(said) if isinstance(said, Cut) else talk.send(said)
    except StopIteration as stop:
        return Ending(facts=stop.value), sent
    except NotThis as why:
        return Ending(not_this=str(why)), sent
    except Cut:
        return Ending(cut=True), sent
    return None, sent


def more_of(pattern: bytes) -> Callable[[Receive], bytes | Cut]:
    """A server that always has more of the same."""
    fill = pattern * (1 + 70000 // len(pattern))

    def answer(command: Receive) -> bytes | Cut:
        size = command.at_most or command.exactly
        if size:
            return fill[:size]
        assert command.until is not None
        end = fill.find(command.until) + len(command.until)
        return fill[:end] if len(command.until) <= end <= command.limit else Cut(fill[: command.limit])

    return answer


FLOODS = [
    b"\0",
    b"\xff",
    b"\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    b"*9\r\n",
    b"STAT a b\r\n",
    b"S\0\0\0\x08a\0b\0",
    b"\x97\0\x03\x2a\0\0\0\0",
    b"VERSION 1.6.18\r\n",
]


@pytest.mark.parametrize("pattern", FLOODS, ids=repr)
@pytest.mark.parametrize("name", PROBES)
def test_a_flood_ends(name: str, pattern: bytes) -> None:
    ending, _ = drive(PROBES[name], more_of(pattern))
    assert ending is not None, "asks on and on"


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("stalled", [True, False], ids=["silent", "closed"])
def test_a_server_that_never_speaks(name: str, *, stalled: bool) -> None:
    def answer(command: Receive) -> bytes | Cut:
        waits = command.at_most is not None and command.wait is not None
        return b"" if waits else Cut(stalled=stalled)

    ending, sent = drive(PROBES[name], answer)
    assert ending is not None
    assert ending.facts is None
    # A closed door may be tried once more, in another tongue; silence is not asked a second time over TCP.
    assert sent <= (1 if stalled and PROBES[name].transport == "tcp" else 2)
