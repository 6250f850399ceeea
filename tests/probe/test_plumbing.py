"""Small parts: pollers, the resolver, TLS records, limits."""

import resource
import socket
import time

import pytest

from exposure_audit.probe.limits import open_files
from exposure_audit.probe.poller import READABLE, EpollPoller, Poller, SelectorPoller
from exposure_audit.probe.resolve import Resolver, system_resolve
from exposure_audit.probe.tls import asks_for_certificate, sni


@pytest.mark.parametrize("make", [EpollPoller, SelectorPoller])
def test_both_pollers_tell_the_same(make: type[Poller[str]]) -> None:
    poller = make()
    left, right = socket.socketpair()
    poller.watch(left.fileno(), "left", read=True, write=True)
    assert [item for item, _ in poller.wait(0.1)] == ["left"]
    poller.watch(left.fileno(), "left", read=True, write=False)
    assert poller.wait(0.0) == []
    right.send(b"x")
    ((item, signs),) = poller.wait(1.0)
    assert (item, signs & READABLE) == ("left", READABLE)
    fd = left.fileno()
    left.close()
    poller.forget(fd)
    right.close()
    started = time.monotonic()
    assert poller.wait(0.05) == []
    assert time.monotonic() - started >= 0.045
    poller.close()


def _answers(resolver: Resolver[str], count: int) -> dict[str, tuple[tuple[str, ...], str]]:
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    deadline = time.monotonic() + 5
    while len(found) < count and time.monotonic() < deadline:
        found |= {one.token: (one.addresses, one.error) for one in resolver.answers()}
        time.sleep(0.01)
    return found


def test_many_names_share_a_few_threads() -> None:
    def resolve(name: str) -> tuple[str, ...]:
        if name == "bad":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ("203.0.113.9",)

    resolver: Resolver[str] = Resolver(resolve)
    names = [*map(str, range(50)), "bad"]
    for name in names:
        resolver.ask(name, name)
    assert resolver.pending == 51
    found = _answers(resolver, 51)
    resolver.close()
    assert resolver.pending == 0
    assert found["7"] == (("203.0.113.9",), "")
    assert found["bad"] == ((), "bad cannot be resolved: Temporary failure in name resolution")


def test_a_name_server_that_hangs_holds_nobody_up() -> None:
    def resolve(name: str) -> tuple[str, ...]:
        if name.startswith("slow"):
            time.sleep(1.5)
        return ("203.0.113.9",)

    resolver: Resolver[str] = Resolver(resolve, patience=0.2)
    for number in range(8):
        resolver.ask(f"slow{number}", f"slow{number}")
    resolver.ask("quick", "quick")
    started = time.monotonic()
    found = _answers(resolver, 9)
    assert time.monotonic() - started < 1.2
    resolver.close()
    assert found["quick"][1] == ""
    assert "within 0.2 s" in found["slow3"][1]


def test_the_system_resolves_localhost_to_loopback() -> None:
    assert set(system_resolve("localhost")) <= {"127.0.0.1", "::1"}


def test_sni_is_for_names() -> None:
    assert sni("db.example.test") == "db.example.test"
    assert sni("192.0.2.1") is sni("2001:db8::1") is sni("") is None


def test_a_certificate_request_is_seen_in_a_clear_handshake() -> None:
    def record(*messages: tuple[int, bytes]) -> bytes:
        body = b"".join(bytes([kind]) + len(data).to_bytes(3, "big") + data for kind, data in messages)
        return b"\x16\x03\x03" + len(body).to_bytes(2, "big") + body

    hello, request, done = (2, b"x" * 40), (13, b"\x01\x01\x00\x00"), (14, b"")
    assert asks_for_certificate(record(hello, request, done))
    assert asks_for_certificate(record(hello) + record(request))
    assert not asks_for_certificate(record(hello, done))
    assert not asks_for_certificate(record(hello, request)[:20])
    assert not asks_for_certificate(b"HTTP/1.1 200 OK")


def test_the_soft_limit_of_open_files_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(500, before[1]), before[1]))
        assert open_files() == before[1] - 64
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
