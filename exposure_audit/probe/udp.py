"""A UDP conversation: one datagram a Send, one a Receive.

The socket is connected, so the kernel drops what does not come from the probed address and port, and an ICMP port
unreachable arrives as an error.
"""

import errno
import socket
from collections import deque

from exposure_audit.probe.contract import Cut, Receive
from exposure_audit.probe.link import Hear, deaf, open_socket

_LARGEST = 65535
_NOT_NOW = (BlockingIOError, InterruptedError)
_QUEUE = 4096
_BUFFER = 1 << 20
"""A hundred answers to one question arrive faster than they are read."""


class DatagramLink:
    """A connected UDP socket with the interface of a StreamLink."""

    __slots__ = ("_closed", "ended", "hear", "inbox", "outbox", "received", "refused", "reset", "secure", "socket")

    def __init__(self, address: str) -> None:
        """Open a socket; no packet is sent. Raises OSError when there is none to have."""
        self.socket = open_socket(address, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.hear: Hear = deaf
        self.inbox: deque[bytes] = deque()
        self.outbox: deque[bytes] = deque()
        self.received = 0
        self.ended = self.reset = self.refused = self.secure = False
        self._closed = False

    def connect(self, address: str, port: int) -> int:
        """Fix the peer; no packet is sent. Return 0 or an errno."""
        return self.socket.connect_ex((address, port))

    def fetch(self, room: int, *, drain: bool = False) -> None:  # noqa: ARG002 - datagrams are always drained
        """Read the datagrams that are there, at most `room` bytes of them."""
        while not self.ended and room > 0 and len(self.inbox) < _QUEUE:
            try:
                data = self.socket.recv(_LARGEST)
            except _NOT_NOW:
                return
            except OSError as error:
                self._fail(error)
                return
            self.received += len(data)
            room -= max(1, len(data))
            self.inbox.append(data)
            self.hear(data)

    def _fail(self, error: OSError) -> None:
        self.refused = error.errno == errno.ECONNREFUSED
        self.ended = True

    def take(self, want: Receive) -> bytes | None:
        """Return one datagram, cut as the Receive asks; None when there is none. Raises Cut when too short."""
        if not self.inbox:
            if not self.ended:
                return None
            if want.at_most is not None:
                return b""
            raise Cut(reset=self.refused)
        data = self.inbox.popleft()
        if want.at_most is not None:
            return data[: want.at_most]
        if want.exactly is not None and len(data) >= want.exactly:
            return data[: want.exactly]
        if want.until is not None and (at := data.find(want.until, 0, want.limit)) >= 0:
            return data[: at + len(want.until)]
        raise Cut(data[: want.limit])

    def send(self, data: bytes) -> None:
        """Send one datagram, now or when the socket takes it."""
        self.outbox.append(data)
        self.flush()

    def flush(self) -> bool:
        """Send the queued datagrams; True when none is left."""
        while self.outbox:
            try:
                self.socket.send(self.outbox[0])
            except _NOT_NOW:
                return False
            except OSError as error:
                self.outbox.clear()
                if error.errno not in {errno.ENOBUFS, errno.EMSGSIZE}:
                    self._fail(error)
                return True
            self.outbox.popleft()
        return True

    def close(self, *, politely: bool) -> None:  # noqa: ARG002 - UDP has one way to close
        """Close once."""
        if not self._closed:
            self._closed = True
            self.socket.close()
