"""Plays the server of a recorded conversation, in memory: whole, cut short, or with bits turned.

A transcript is JSON: `probe`, `source` ("recorded from redis 7.0.15" or "written from the documentation: …"),
optional `peer` (fields of Peer), `talk` and `expect`. Each step of `talk` is an object with one key:

    {"send": "PING\\r\\n"}         what the probe must send, byte for byte (`send_hex` for binary)
    {"receive": "+PONG\\r\\n"}     what the server says (`receive_hex`); over UDP each is one datagram
    {"silence": true}            the server says nothing for longer than the probe waits
    {"reconnect": true}          a new connection from here
    {"close": "fin"}             the server ends the connection ("rst": resets it)

Text is Latin-1; `{version}` in what is sent stands for our own version. `expect` holds fields of Facts (of
`details` and `amplification` those named must be equal), or `{"not_this": true}`, or `{"cut": true}`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from exposure_audit import __version__
from exposure_audit.model.observation import Facts
from exposure_audit.probe.contract import (
    Command,
    Conversation,
    Cut,
    NotThis,
    Peer,
    Probe,
    Receive,
    Reconnect,
    Send,
    StartTLS,
)

TALK = Path(__file__).parents[1] / "fixtures" / "talk"
MAX_COMMANDS = 5000


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """One step of a conversation, as the server's side sees it."""

    send: str | None = None
    send_hex: str | None = None
    receive: str | None = None
    receive_hex: str | None = None
    silence: bool = False
    reconnect: bool = False
    close: str = ""

    @property
    def asked(self) -> bytes | None:
        if self.send is not None:
            return self.send.replace("{version}", __version__).encode("latin-1")
        return None if self.send_hex is None else bytes.fromhex(self.send_hex)

    @property
    def said(self) -> bytes | None:
        if self.receive is not None:
            return self.receive.encode("latin-1")
        return None if self.receive_hex is None else bytes.fromhex(self.receive_hex)


class Transcript(msgspec.Struct, forbid_unknown_fields=True):
    """A recorded conversation and what must come out of it."""

    probe: str
    source: str
    talk: list[Step]
    expect: dict[str, Any]
    peer: dict[str, Any] = {}


def load(path: Path) -> Transcript:
    return msgspec.json.decode(path.read_bytes(), type=Transcript)


def transcripts(probe: str = "*") -> list[Path]:
    return sorted(TALK.glob(f"{probe}/*.json"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


class Ending(msgspec.Struct, frozen=True):
    """How a conversation ended: exactly one of the three that are allowed."""

    facts: Facts | None = None
    not_this: str | None = None
    cut: bool = False


class Server:
    """The server's side: hands out what it says, in the order and the pieces that were recorded."""

    def __init__(self, steps: list[Step], *, datagrams: bool, strict: bool) -> None:
        self._steps = list(steps)
        self._datagrams = datagrams
        self._strict = strict
        self._queue: list[bytes] = []
        self._ended = ""
        self._silent = False
        self._gather()

    def _gather(self) -> None:
        while self._steps and self._steps[0].asked is None and not self._steps[0].reconnect:
            step = self._steps.pop(0)
            if step.said is not None:
                self._queue.append(step.said)
            elif step.silence:
                self._silent = True
            elif step.close:
                self._ended = step.close

    def take(self, command: Command) -> bytes:
        if isinstance(command, Send):
            self._asked(command.data)
            return b""
        if isinstance(command, Reconnect):
            self._reconnected()
            return b""
        if isinstance(command, StartTLS):
            return b""
        return self._datagram(command) if self._datagrams else self._stream(command)

    def _asked(self, data: bytes) -> None:
        expected = self._steps[0].asked if self._steps else None
        if self._ended and data != expected:
            if self._datagrams:
                return  # Nobody hears it.
            raise Cut(reset=True)  # Writing to a connection that the server has closed.
        if self._strict:
            assert expected is not None, f"not in the transcript: Send({data!r})"
            assert data == expected, f"Send({data!r}), not Send({expected!r})"
        if expected is not None:
            self._steps.pop(0)
            self._silent = False
            self._gather()
        elif not self._silent:
            self._ended = self._ended or "fin"

    def _reconnected(self) -> None:
        while self._steps and not self._steps[0].reconnect:
            assert not self._strict, f"reconnects before {self._steps[0]}"
            self._steps.pop(0)
        if not self._steps:
            raise Cut(reset=True)  # Nobody there any more.
        self._steps.pop(0)
        self._queue, self._ended, self._silent = [], "", False
        self._gather()

    def _datagram(self, command: Receive) -> bytes:
        assert command.at_most is not None, "datagrams are received with at_most"
        if self._queue:
            return self._queue.pop(0)[: command.at_most]
        if command.wait is None:
            raise Cut
        return b""

    def _stream(self, command: Receive) -> bytes:
        have = b"".join(self._queue)
        if command.at_most is not None:
            return self._some(have, command)
        if command.exactly is not None:
            size = command.exactly if len(have) >= command.exactly else -1
        else:
            assert command.until is not None
            found = have.find(command.until)
            size = -1 if found < 0 else found + len(command.until)
            size = -1 if size > command.limit else size
        if size < 0:
            # Silence without an end is a time-out to the driver: the stream is over all the same.
            self._queue = []
            raise Cut(have, reset=self._ended == "rst", stalled=self._silent and not self._ended)
        self._queue = [have[size:]] if have[size:] else []
        return have[:size]

    def _some(self, have: bytes, command: Receive) -> bytes:
        assert command.at_most
        if not have:
            if self._ended or command.wait is not None:
                return b""
            raise Cut
        # Pieces as they were recorded: a probe must not count on more than one byte.
        piece = self._queue[0][: command.at_most]
        self._queue[0] = self._queue[0][len(piece) :]
        if not self._queue[0]:
            self._queue.pop(0)
        return piece


def play(conversation: Conversation, server: Server) -> Ending:
    """Let probe and server talk. Anything but Facts, NotThis and Cut is an error of the probe, and is raised."""
    answer, trouble = None, None
    try:
        for _ in range(MAX_COMMANDS):
            command = conversation.throw(trouble) if trouble else _next(conversation, answer)
            trouble = None
            try:
                answer = server.take(command)
            except Cut as cut:
                trouble = cut
    except StopIteration as stop:
        return Ending(facts=stop.value)
    except NotThis as reason:
        return Ending(not_this=str(reason))
    except Cut:
        return Ending(cut=True)
    raise AssertionError("the conversation never ends")


def _next(conversation: Conversation, answer: bytes | None) -> Command:
    return next(conversation) if answer is None else conversation.send(answer)


def replay(probe: Probe, transcript: Transcript, steps: list[Step] | None = None) -> Ending:
    """Play a transcript, or an altered copy of its steps (then what the probe sends is not compared)."""
    peer = Peer(**{"host": "192.0.2.1", "port": probe.ports[0], "transport": probe.transport, **transcript.peer})
    altered = steps is not None
    server = Server(
        transcript.talk if steps is None else steps, datagrams=probe.transport == "udp", strict=not altered
    )
    return play(probe.converse(peer), server)


def size_of(transcript: Transcript) -> int:
    """Bytes on the server's side."""
    return sum(len(step.said or b"") for step in transcript.talk)


def prefix(transcript: Transcript, length: int) -> list[Step]:
    """The steps with the server's side cut after so many bytes: from there on it has closed."""
    steps = []
    for step in transcript.talk:
        said = step.said
        if said is None:
            steps.append(step)
            continue
        steps.append(Step(receive_hex=said[:length].hex()))
        length -= len(said)
        if length < 0:
            return [*steps, Step(close="fin")]
    return [*steps, Step(close="fin")]


def flipped(transcript: Transcript) -> Iterator[list[Step]]:
    """The steps with one bit of the server's side turned, once for each byte (another bit each time)."""
    for i, step in enumerate(transcript.talk):
        said = step.said
        for place in range(len(said or b"")):
            assert said is not None
            turned = bytearray(said)
            turned[place] ^= 1 << (place % 8)
            yield [*transcript.talk[:i], Step(receive_hex=turned.hex()), *transcript.talk[i + 1 :]]


def differences(facts: Facts, expect: dict[str, Any]) -> list[str]:
    """Where facts are not as expected, in words; empty when they are."""
    found = json.loads(msgspec.json.encode({**msgspec.structs.asdict(facts), "evidence": ""}))
    wrong = []
    for name, wanted in expect.items():
        have = found.get(name)
        if isinstance(wanted, dict):
            part = have or {}
            wrong += [
                f"{name}.{key}: {part.get(key)!r}, not {value!r}"
                for key, value in wanted.items()
                if part.get(key) != value
            ]
        elif have != wanted:
            wrong.append(f"{name}: {have!r}, not {wanted!r}")
    return wrong
