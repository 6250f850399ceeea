"""Counting what one datagram brings back, as US-CERT TA14-017A counts: payload bytes in / payload bytes out."""

from collections.abc import Callable, Generator

import msgspec

from exposure_audit.model.observation import Amplification
from exposure_audit.probe.contract import Command, Receive, Send

MAX_DATAGRAMS = 100
MAX_BYTES = 65536
WAIT_SECONDS = 1.0
_DATAGRAM = 65535


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """The datagrams that answer one request."""

    sent: int
    datagrams: tuple[bytes, ...]

    @property
    def amplification(self) -> Amplification:
        """The measured ratio."""
        received = sum(map(len, self.datagrams))
        return Amplification(
            bytes_out=self.sent,
            bytes_in=received,
            packets_in=len(self.datagrams),
            factor=round(received / self.sent, 2),
        )


def ask(
    request: bytes, *, ours: Callable[[bytes], bool], last: Callable[[tuple[bytes, ...]], bool]
) -> Generator[Command, bytes, Answers]:
    """Send one datagram and gather its answers: at most 100, at most 64 KiB, at most 1 s of silence.

    `ours` tells a reply to this request from stray ones (those, and echoes, are dropped); `last` tells from
    all replies so far that no more will come.
    """
    yield Send(request)
    found: tuple[bytes, ...] = ()
    received = 0
    for _ in range(MAX_DATAGRAMS):
        datagram = yield Receive(at_most=_DATAGRAM, wait=WAIT_SECONDS)
        received += len(datagram)
        if not datagram or received > MAX_BYTES:
            break
        if datagram != request and ours(datagram):
            found = (*found, datagram)
            if last(found):
                break
    return Answers(sent=len(request), datagrams=found)
