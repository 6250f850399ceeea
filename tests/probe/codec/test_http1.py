"""HTTP/1.x replies in every framing of RFC 9112 section 6, whole and broken; requests byte for byte."""

import pytest
from replay import Server, Step

from exposure_audit import __version__
from exposure_audit.probe.codec.http1 import BODY_LIMIT, Reply, fetch, follow, request
from exposure_audit.probe.contract import Cut, NotThis, Peer

PEER = Peer(host="192.0.2.1", port=8080)


def run(steps: list[Step], *, after: Reply | None = None) -> Reply:
    server = Server(steps, datagrams=False, strict=False)
    talk = fetch(PEER, "/", after=after)
    command = next(talk)
    try:
        while True:
            try:
                answer = server.take(command)
            except Cut as cut:
                command = talk.throw(cut)
                continue
            command = talk.send(answer)
    except StopIteration as stop:
        reply: Reply = stop.value
        return reply


def answer(said: str, close: str = "fin") -> Reply:
    return run([Step(send=""), Step(receive=said), Step(close=close)])


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        (Peer(host="db.example", port=8123), "db.example:8123"),
        (Peer(host="db.example", port=80), "db.example"),
        (Peer(host="db.example", port=443, tls=True), "db.example"),
        (Peer(host="db.example", port=443), "db.example:443"),
        (Peer(host="2001:db8::1", port=9200), "[2001:db8::1]:9200"),
    ],
)
def test_request_names_the_host_as_rfc_9110_wants_it(peer: Peer, host: str) -> None:
    head = f"GET /a HTTP/1.1\r\nHost: {host}\r\nUser-Agent: exposure-audit/{__version__}\r\nAccept: */*\r\n\r\n"
    assert request(peer, "/a") == head.encode()


def test_a_post_says_that_it_has_no_body() -> None:
    assert b"\r\nContent-Length: 0\r\n" in request(PEER, "/", method="POST")


CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "body", "complete", "reusable"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc", True, True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", b"abc", False, False),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", b"abc", True, False),
        (
            CHUNKED + "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
            b"abc",
            True,
            True,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\nTrailer: x\r\n\r\n",
            b"ab",
            True,
            True,
        ),
        (CHUNKED + "2\r\nab\r\n5\r\nc", b"ab", False, False),
        (CHUNKED + "not hex\r\n", b"", False, False),
        (CHUNKED + "-1\r\nab", b"", False, False),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", True, False),
        ("HTTP/1.0 200 OK\r\n\r\nold", b"old", True, False),
        ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nold", b"old", True, True),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", b"old", True, False),
        ("HTTP/1.1 204 No Content\r\n\r\n", b"", True, True),
        ("HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\nab", b"ab", True, False),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", True, True),
        ("HTTP/1.1 401\r\nContent-Length: 0\r\n\r\n", b"", True, True),
    ],
)
def test_framings(said: str, body: bytes, complete: bool, reusable: bool) -> None:
    reply = answer(said)
    assert (reply.body, reply.complete, reply.reusable) == (body, complete, reusable)


def test_repeated_headers_are_joined_and_names_are_lower_case() -> None:
    reply = answer("HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nnonsense\r\nContent-Length: 0\r\n\r\n")
    assert reply.headers == {"x-a": "1, 2", "content-length": "0"}


@pytest.mark.parametrize("said", ["SSH-2.0-x\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_1_is_not_this(said: str) -> None:
    with pytest.raises(NotThis):
        answer(said)


def test_informational_replies_without_end_end() -> None:
    with pytest.raises(NotThis):
        answer("HTTP/1.1 103 Early Hints\r\n\r\n" * 50)


@pytest.mark.parametrize("said", ["", "HT", "HTTP/1.1 200 OK\r\nX-A: 1\r\n"])
def test_a_head_cut_short_is_cut(said: str) -> None:
    with pytest.raises(Cut):
        answer(said)


def test_a_head_without_end_is_cut_at_the_limit() -> None:
    with pytest.raises(Cut):
        answer("HTTP/1.1 200 OK\r\n" + "X-A: 1\r\n" * 4000 + "\r\n")


@pytest.mark.parametrize(
    "said",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {10**9}\r\n\r\n" + "x" * (BODY_LIMIT + 5),
        "HTTP/1.1 200 OK\r\n\r\n" + "x" * (BODY_LIMIT + 5),
    ],
)
def test_a_body_beyond_the_limit_is_cut_there(said: str) -> None:
    reply = answer(said)
    assert len(reply.body) == BODY_LIMIT
    assert not reply.complete
    assert not reply.reusable


def test_a_chunk_of_absurd_size_is_not_awaited() -> None:
    assert not answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx").complete


FIRST = Reply(status=200, headers={}, body=b"", head=b"", complete=True, reusable=True)


def test_a_connection_that_was_promised_and_closed_is_opened_again() -> None:
    said = Step(receive="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    steps = [Step(send=""), Step(close="fin"), Step(reconnect=True), Step(send=""), said]
    assert run(steps, after=FIRST).body == b"x"


def test_a_further_question_never_loses_what_is_proven() -> None:
    gone = FIRST.__class__(status=0, headers={}, body=b"", head=b"", complete=False, reusable=False)
    talk = follow(PEER, "/", after=gone)
    with pytest.raises(StopIteration) as stop:
        next(talk)
    assert stop.value.value is gone
    talk = follow(PEER, "/", after=FIRST)
    next(talk)
    talk.send(b"")
    with pytest.raises(StopIteration) as stop:
        talk.throw(Cut(b"HT"))
    assert stop.value.value.status == 0


def test_json_that_is_none_is_none() -> None:
    assert answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{").json() is None
    deep = "[" * 60000
    assert answer(f"HTTP/1.1 200 OK\r\nContent-Length: {len(deep)}\r\n\r\n{deep}").json() is None
