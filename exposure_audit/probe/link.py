"""One connection: raw non-blocking socket, buffers, and TLS when wanted. It never waits and knows no time.

A `StreamLink` frames a byte stream exactly as a Receive asks; `udp.DatagramLink` does the same with datagrams.
"""

import errno
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from exposure_audit.probe.contract import Cut, Receive

if TYPE_CHECKING:
    from exposure_audit.probe.tls import TlsLayer

_PIECE = 65536
_SCRATCH = memoryview(bytearray(_PIECE))
"""One buffer for all reads: the loop has one thread, and what was read is copied out at once."""

_AT_ONCE_RST = struct.pack("ii", 1, 0)
IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})
_NOT_NOW = (BlockingIOError, InterruptedError)


def family_of(address: str) -> socket.AddressFamily:
    """The socket family of an address literal."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def open_socket(address: str, kind: int) -> socket.socket:
    """A non-blocking socket for an address; no packet is sent. Raises OSError when there is none to have."""
    nonblocking = getattr(socket, "SOCK_NONBLOCK", 0)
    one = socket.socket(family_of(address), kind | nonblocking)
    if not nonblocking:
        one.setblocking(False)
    return one


Hear = Callable[[bytes | memoryview], None]
"""Told of all that the peer says, in clear or decrypted, when it arrives."""


def deaf(data: bytes | memoryview) -> None:
    """Tell nobody."""


class StreamLink:
    """A TCP connection, in clear or over TLS."""

    __slots__ = ("_closed", "_searched", "_tls", "ended", "hear", "inbox", "outbox", "received", "reset", "socket")

    def __init__(self, address: str) -> None:
        """Open a socket; no packet is sent. Raises OSError when there is none to have."""
        self.socket = open_socket(address, socket.SOCK_STREAM)
        self.hear: Hear = deaf
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.received = 0
        self.ended = False
        self.reset = False
        self._tls: TlsLayer | None = None
        self._searched = 0
        self._closed = False

    def connect(self, address: str, port: int) -> int:
        """Send the first packet; return 0, EINPROGRESS or the errno of what went wrong."""
        return self.socket.connect_ex((address, port))

    def outcome(self) -> int:
        """Return the errno of the connect that was in progress; 0 when it stands."""
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    # --- bytes in ---

    def fetch(self, room: int, *, drain: bool = False) -> None:
        """Read what is there, at most `room` bytes; `drain`: until nothing or the end shows. Raises TlsBroken."""
        while not self.ended and room > 0:
            size = min(_PIECE, room)
            try:
                count = self.socket.recv_into(_SCRATCH, size)
            except _NOT_NOW:
                return
            except OSError as error:
                self.reset = error.errno in {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}
                count = 0
            self.received += count
            room -= count
            if self._tls is not None:
                self._decrypt(count)
            elif count:
                self._store(_SCRATCH[:count])
            else:
                self.ended = True
            # A short read has emptied the queue: looking again would cost a system call for nothing.
            if not count or (count < size and not drain):
                return

    def _decrypt(self, count: int) -> None:
        tls = self._tls
        assert tls is not None  # noqa: S101 - for the type checker: the caller looked
        if count:
            tls.feed(_SCRATCH[:count])
        else:
            tls.feed_end()
        if tls.ready:
            self._store(tls.read())
            self.ended = tls.ended
            self.outbox += tls.outgoing()
        if not count and tls.ready:
            self.ended = True

    def _store(self, data: bytes | memoryview) -> None:
        if data:
            self.inbox += data
            self.hear(data)

    def take(self, want: Receive) -> bytes | None:
        """Return what a Receive asks for; None when it is not there yet. Raises Cut when it never will be."""
        box = self.inbox
        if want.at_most is not None:
            if box:
                return self._cut_off(min(len(box), want.at_most))
            return b"" if self.ended else None
        if want.exactly is not None:
            if len(box) >= want.exactly:
                return self._cut_off(want.exactly)
        elif want.until is not None:
            at = box.find(want.until, max(0, self._searched - len(want.until)), want.limit)
            if at >= 0:
                return self._cut_off(at + len(want.until))
            self._searched = len(box)
            if len(box) >= want.limit:
                raise Cut(bytes(box[: want.limit]))
        if self.ended:
            raise Cut(bytes(box), reset=self.reset)
        return None

    def _cut_off(self, size: int) -> bytes:
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        self._searched = 0
        return data

    # --- bytes out ---

    def send(self, data: bytes) -> None:
        """Queue bytes and write what the socket takes. Raises TlsBroken."""
        if self._tls is not None:
            self._tls.write(data)
            self.outbox += self._tls.outgoing()
        else:
            self.outbox += data
        self.flush()

    def flush(self) -> bool:
        """Write what is queued; True when nothing is left."""
        while self.outbox:
            try:
                count = self.socket.send(self.outbox)
            except _NOT_NOW:
                return False
            except OSError as error:
                # The peer is gone, but its last words may wait in our receive queue: reading goes on.
                self.outbox.clear()
                self.reset = error.errno in {errno.ECONNRESET, errno.EPIPE}
                return True
            del self.outbox[:count]
        return True

    # --- TLS ---

    def start_tls(self, layer: "TlsLayer") -> None:
        """Speak TLS from here on; what came already belongs to it."""
        self._tls = layer
        if self.inbox:
            layer.feed(self.inbox)
            self.inbox.clear()

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is done. Raises TlsBroken."""
        tls = self._tls
        assert tls is not None  # noqa: S101 - for the type checker: start_tls came first
        try:
            done = tls.handshake()
        finally:
            self.outbox += tls.outgoing()
            self.flush()
        if done:
            self._store(tls.read())  # Application data can ride on the last packet of the handshake.
            self.ended = self.ended or tls.ended
        return done

    @property
    def secure(self) -> bool:
        """A TLS session stands."""
        return self._tls is not None and self._tls.ready

    # --- the end ---

    def close(self, *, politely: bool) -> None:
        """Close once. Not politely means RST: no TIME_WAIT here, none on the server."""
        if self._closed:
            return
        self._closed = True
        try:
            if not politely:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_RST)
            elif self.secure and self._tls is not None:
                self.socket.send(self._tls.goodbye())
        except OSError:
            pass  # The peer was faster.
        self.socket.close()
