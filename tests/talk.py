"""A small blocking driver: one probe, one real server on loopback. Only for tests and for recording transcripts."""

import socket
import ssl
import time

from replay import Ending, Step

from exposure_audit.probe.contract import Command, Cut, NotThis, Peer, Probe, Receive, Reconnect, Send, StartTLS

SECONDS = 8.0


class Line:
    """One conversation's connection."""

    def __init__(self, probe: Probe, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.probe, self.place, self.tls = probe, (address, port), tls
        self.steps: list[Step] = []
        self.deadline = time.monotonic() + SECONDS
        self.buffer = b""
        self.open()

    def open(self) -> None:
        kind = socket.SOCK_DGRAM if self.probe.transport == "udp" else socket.SOCK_STREAM
        family = socket.AF_INET6 if ":" in self.place[0] else socket.AF_INET
        self.socket = socket.socket(family, kind)
        self.socket.settimeout(SECONDS)
        self.socket.connect(self.place)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket)
        self.buffer = b""

    def say(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            raise Cut(reset=True) from None
        finally:
            self.steps.append(Step(send_hex=data.hex()))

    def hear(self, wait: float | None) -> bytes:
        """Some bytes; b"" at the end of the stream. Raises TimeoutError."""
        left = self.deadline - time.monotonic()
        self.socket.settimeout(max(0.001, left if wait is None else min(wait, left)))
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            self.steps.append(Step(silence=True))
            raise
        except (ConnectionError, ssl.SSLError):
            data = b""
        self.steps.append(Step(receive_hex=data.hex()) if data else Step(close="fin"))
        return data

    def receive(self, command: Receive) -> bytes:
        if command.at_most is not None:
            if not self.buffer:
                try:
                    self.buffer = self.hear(command.wait)
                except TimeoutError:
                    if command.wait is None:
                        raise Cut(stalled=True) from None
                    return b""
            return self.cut(min(command.at_most, len(self.buffer)))
        while (size := self.enough(command)) < 0:
            try:
                data = self.hear(None)
            except TimeoutError:
                raise Cut(self.buffer, stalled=True) from None
            if not data or (command.until and len(self.buffer) > command.limit):
                have, self.buffer = self.buffer, b""
                raise Cut(have)
            self.buffer += data
        return self.cut(size)

    def enough(self, command: Receive) -> int:
        if command.exactly is not None:
            return command.exactly if len(self.buffer) >= command.exactly else -1
        assert command.until is not None
        found = self.buffer.find(command.until)
        return -1 if found < 0 else found + len(command.until)

    def cut(self, size: int) -> bytes:
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def take(self, command: Command) -> bytes:
        if isinstance(command, Send):
            self.say(command.data)
        elif isinstance(command, Reconnect):
            self.steps.append(Step(reconnect=True))
            self.socket.close()
            self.open()
        elif isinstance(command, StartTLS):
            assert self.tls
            self.socket = self.tls.wrap_socket(self.socket)
        else:
            return self.receive(command)
        return b""


def talk(
    probe: Probe,
    address: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    measure: bool = True,
    nonce: int = 0,
) -> tuple[Ending, list[Step]]:
    """Let a probe talk to a server; return how it ended and what was said."""
    peer = Peer(
        host=address,
        port=port,
        transport=probe.transport,
        tls=tls is not None,
        measure_amplification=measure,
        nonce=nonce,
    )
    line = Line(probe, address, port, tls)
    conversation = probe.converse(peer)
    try:
        command = next(conversation)
        while True:
            try:
                answer = line.take(command)
            except Cut as cut:
                command = conversation.throw(cut)
                continue
            command = conversation.send(answer)
    except StopIteration as stop:
        return Ending(facts=stop.value), line.steps
    except NotThis as reason:
        return Ending(not_this=str(reason)), line.steps
    except Cut:
        return Ending(cut=True), line.steps
    finally:
        line.socket.close()
