"""What a probe is: the protocol and nothing else.

A probe's `converse` is a generator. It yields commands, gets bytes back, and returns `Facts` or raises `NotThis`.
There is no socket, time-out, TLS, retry or rate in it: the driver owns those, so the same module runs over TCP,
TLS, UDP, IPv4, IPv6, a recorded transcript and a fuzzer.

    def converse(peer: Peer) -> Conversation:
        yield Send(b"PING\\r\\n")
        line = yield Receive(until=b"\\r\\n")
        if not line.startswith(b"+PONG"):
            raise NotThis("no +PONG")
        return Facts(service="redis", verdict="unauthenticated", evidence=line)
"""

from collections.abc import Callable, Generator
from typing import Literal

import msgspec

from exposure_audit.model.observation import Facts, Transport


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation may know of whom it talks to."""

    host: str
    """The name when there is one, else the address: goes into Host headers."""
    port: int
    transport: Transport = "tcp"
    tls: bool = False
    measure_amplification: bool = True
    """Amplifying requests (one packet each) are allowed."""
    nonce: int = 0
    """Fresh random bits for transaction ids, 0..2^32-1; fixed in tests."""


class Send(msgspec.Struct, frozen=True):
    """Write all of these bytes; over UDP they are one datagram."""

    data: bytes


class Receive(msgspec.Struct, frozen=True, kw_only=True):
    """Read; name exactly one of `until`, `exactly`, `at_most`. A short read is the driver's problem.

    `until`: return everything up to and including the marker (further bytes stay for the next Receive).
    `exactly`: that many bytes. `at_most`: whatever is there, at least one byte.
    Over UDP each Receive with `at_most` returns one whole datagram, cut to that size.
    `limit` bounds `until`; beyond it the driver raises `Cut`.
    `wait`: seconds to wait at most; then b"" is returned (with `at_most`) instead of a time-out.
    When the peer ends the stream first: `at_most` returns b""; the others raise `Cut` into the probe.
    """

    until: bytes | None = None
    exactly: int | None = None
    at_most: int | None = None
    limit: int = 65536
    wait: float | None = None


class StartTLS(msgspec.Struct, frozen=True):
    """Do the TLS handshake on this connection now; returns b""."""


class Reconnect(msgspec.Struct, frozen=True):
    """Close this connection and open a new one of the same kind (plain or TLS); returns b""."""


Command = Send | Receive | StartTLS | Reconnect
Conversation = Generator[Command, bytes, Facts]


class NotThis(Exception):
    """The peer speaks, but not this protocol."""


class Cut(Exception):
    """The peer ended the stream, or exceeded a limit, in the middle of what was awaited.

    The driver throws it into the probe at the `yield`; a probe that can still decide catches it.
    Uncaught, the driver reads it as "not this protocol" when nothing was proven.
    """

    def __init__(self, data: bytes = b"", *, reset: bool = False, stalled: bool = False) -> None:
        super().__init__("stream ended early")
        self.data = data
        """What had arrived."""
        self.reset = reset
        """The peer sent RST rather than FIN."""
        self.stalled = stalled
        """Nothing ended: the peer stayed silent for too long. Asking again on a new connection is no use."""


Safety = Literal["handshake", "read-metadata", "measure"]
"""What a probe does at most: open a session, read facts about the server, count amplified bytes."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol that can be recognised and judged."""

    name: str
    """Same as its file and its catalog line: `redis`, `clickhouse-http` (file `clickhouse_http.py`)."""
    service: str
    title: str
    transport: Transport
    ports: tuple[int, ...] = ()
    """Where it usually speaks in clear."""
    tls_ports: tuple[int, ...] = ()
    """Where it usually speaks TLS from the first byte."""
    family: Literal["http", "line", "binary"] = "binary"
    """What the first reply looks like: narrows dispatch after a mismatch."""
    safety: Safety
    sends: tuple[str, ...]
    """Every request it may make, for people."""
    never: str = ""
    """What it deliberately does not do."""
    details: dict[str, type]
    """Names and types (str, int, bool) of the facts in `Facts.details`; rules are checked against it."""
    converse: Callable[[Peer], Conversation]
