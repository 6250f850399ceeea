"""One datagram out, bounded datagrams in: the counting rules of US-CERT TA14-017A and our own limits."""

import pytest

from exposure_audit.probe.codec.datagrams import MAX_BYTES, MAX_DATAGRAMS, Answers, ask
from exposure_audit.probe.contract import Receive, Send


def gather(datagrams: list[bytes], *, last: int = 10**9, sent: bytes = b"12345") -> tuple[Answers, int]:
    """Feed datagrams; return the answers and how many were asked for."""
    talk = ask(sent, ours=lambda one: one.startswith(b"R"), last=lambda found: len(found) >= last)
    assert next(talk) == Send(sent)
    command, asked = talk.send(b""), 0
    try:
        while True:
            assert isinstance(command, Receive)
            assert command.wait == 1.0
            command = talk.send(datagrams[asked] if asked < len(datagrams) else b"")
            asked += 1
    except StopIteration as stop:
        return stop.value, asked + 1


def test_counts_payload_bytes_of_replies_only() -> None:
    answers, _ = gather([b"R" * 10, b"stray", b"12345", b"R" * 20])
    measured = answers.amplification
    assert (measured.bytes_out, measured.bytes_in, measured.packets_in, measured.factor) == (5, 30, 2, 6.0)


def test_stops_when_no_more_will_come() -> None:
    assert gather([b"R"] * 5, last=2)[1] == 2


def test_stops_after_a_hundred_datagrams() -> None:
    answers, asked = gather([b"R"] * 500)
    assert (len(answers.datagrams), asked) == (MAX_DATAGRAMS, MAX_DATAGRAMS)


@pytest.mark.parametrize("flood", [b"R" * 30000, b"x" * 30000])
def test_stops_after_64_kib_strays_included(flood: bytes) -> None:
    answers, asked = gather([flood] * 50)
    assert sum(map(len, answers.datagrams)) <= MAX_BYTES
    assert asked == 3


def test_silence_is_no_answer() -> None:
    answers, asked = gather([])
    assert (answers.datagrams, asked) == ((), 1)
    assert answers.amplification.factor == 0
