"""HTTP/1.x as a probe needs it: one honest request, one reply in any of its framings (RFC 9112), no redirects.

reply = yield from fetch(peer, "/")
again = yield from fetch(peer, "/next", after=reply)  # the same connection where the server allows it
"""

import json
import re
from collections.abc import Generator, Mapping

import msgspec

from exposure_audit import __version__
from exposure_audit.probe.contract import Command, Cut, NotThis, Peer, Receive, Reconnect, Send

HEAD_LIMIT = 16384
BODY_LIMIT = 65536
_PIECE = 16384
_MAX_CHUNKS = 4096
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?\r?\n")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A final (not 1xx) reply."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; a repeated header is joined with ", "."""
    body: bytes
    head: bytes
    """Status line and headers as they came: evidence."""
    complete: bool
    """The body came whole: false when the peer cut it or it went beyond the limit."""
    reusable: bool
    """Another request may follow on this connection."""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become replacement characters."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """The body read as JSON, or None when it is not."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value

    def evidence(self, limit: int = 160) -> bytes:
        """The status line and the first bytes of the body."""
        return self.head.partition(b"\r\n")[0] + b" | " + self.body[:limit]


def unlike(reply: Reply, why: str) -> Exception:
    """What to raise for a reply that is not the awaited one: NotThis, or Cut when it never came whole."""
    return NotThis(why) if reply.complete else Cut(reply.body)


def host_header(peer: Peer) -> str:
    """The value of Host (RFC 9110 section 7.2): brackets around IPv6, the port unless it is the default one."""
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    return host if peer.port == (443 if peer.tls else 80) else f"{host}:{peer.port}"


def request(peer: Peer, target: str, *, method: str = "GET") -> bytes:
    """The bytes of a request without a body and without credentials."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {host_header(peer)}",
        f"User-Agent: exposure-audit/{__version__}",
        "Accept: */*",
    ]
    if method == "POST":
        lines.append("Content-Length: 0")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def fetch(
    peer: Peer, target: str, *, method: str = "GET", after: Reply | None = None
) -> Generator[Command, bytes, Reply]:
    """Ask for `target` and return the reply, on the connection of `after` when the server keeps it.

    Raises NotThis when what comes is not HTTP/1.x.
    """
    if after is not None and not after.reusable:
        yield Reconnect()
    yield Send(request(peer, target, method=method))
    try:
        start = yield Receive(exactly=5)
    except Cut as cut:
        if after is None or not after.reusable or cut.data or cut.stalled:
            raise
        # The server closed a connection that it had promised to keep: that is its right.
        yield Reconnect()
        yield Send(request(peer, target, method=method))
        start = yield Receive(exactly=5)
    return (yield from _reply(start))


def follow(peer: Peer, target: str, *, after: Reply, method: str = "GET") -> Generator[Command, bytes, Reply]:
    """Ask a further question whose answer is welcome, not needed; what was proven stands without it.

    A server that ends or garbles the conversation now gives a reply of status 0, never an exception, and is
    not asked again.
    """
    if not after.status:
        return after
    try:
        return (yield from fetch(peer, target, method=method, after=after))
    except (Cut, NotThis):
        return Reply(status=0, headers={}, body=b"", head=b"", complete=False, reusable=False)


def _reply(start: bytes) -> Generator[Command, bytes, Reply]:
    for _ in range(4):
        if start != b"HTTP/":
            raise NotThis("no HTTP/1.x status line")
        head = start + (yield Receive(until=b"\r\n\r\n", limit=HEAD_LIMIT))
        status_line = _STATUS.match(head)
        if not status_line:
            raise NotThis("no HTTP/1.x status line")
        status = int(status_line[2])
        if not 100 <= status < 200:
            return (yield from _final(head, status, minor=int(status_line[1])))
        start = yield Receive(exactly=5)
    raise NotThis("informational replies without end")


def _final(head: bytes, status: int, *, minor: int) -> Generator[Command, bytes, Reply]:
    headers = _headers(head)
    length = headers.get("content-length", "")
    if status in {204, 304}:
        body, complete, framed = b"", True, True
    elif "chunked" in headers.get("transfer-encoding", "").lower():
        body, complete = yield from _chunked()
        framed = True
    elif length.isascii() and length.isdigit() and len(length) < 16:
        body, complete = yield from _counted(int(length))
        framed = True
    else:
        body, complete = yield from _until_close()
        framed = False
    connection = headers.get("connection", "").lower()
    keeps = "close" not in connection and (minor == 1 or "keep-alive" in connection)
    return Reply(
        status=status,
        headers=headers,
        body=body,
        head=head,
        complete=complete,
        reusable=keeps and framed and complete,
    )


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            key, value = name.strip().lower(), value.strip()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _counted(length: int) -> Generator[Command, bytes, tuple[bytes, bool]]:
    want = min(length, BODY_LIMIT)
    body = bytearray()
    while len(body) < want:
        piece = yield Receive(at_most=min(want - len(body), _PIECE))
        if not piece:
            return bytes(body), False
        body += piece
    return bytes(body), length <= BODY_LIMIT


def _until_close() -> Generator[Command, bytes, tuple[bytes, bool]]:
    body = bytearray()
    while len(body) < BODY_LIMIT:
        piece = yield Receive(at_most=min(BODY_LIMIT - len(body), _PIECE))
        if not piece:
            return bytes(body), True
        body += piece
    return bytes(body), False


def _chunked() -> Generator[Command, bytes, tuple[bytes, bool]]:
    body = bytearray()
    try:
        for _ in range(_MAX_CHUNKS):
            line = yield Receive(until=b"\r\n", limit=256)
            digits = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
                return bytes(body), False
            size = int(digits, 16)
            if size == 0:
                return bytes(body), (yield from _trailer())
            if len(body) + size > BODY_LIMIT:
                return bytes(body), False
            body += yield Receive(exactly=size)
            yield Receive(exactly=2)
    except Cut:
        pass
    return bytes(body), False


def _trailer() -> Generator[Command, bytes, bool]:
    for _ in range(32):
        if (yield Receive(until=b"\r\n", limit=4096)) == b"\r\n":
            return True
    return False
