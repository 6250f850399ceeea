"""How a conversation is closed, and that every poller carries one."""

import socket
import threading

import pytest
from peers import HTTP, TOY, Server, UdpServer, ask, at_home, hello, probe, silent

from exposure_audit.model.observation import Facts
from exposure_audit.probe import driver
from exposure_audit.probe.contract import Conversation, NotThis, Peer, Receive, Send
from exposure_audit.probe.poller import SelectorPoller


def watching(greeting: bytes) -> tuple[list[str], threading.Event, Server]:
    """A server that notes how its peer left."""
    ends: list[str] = []
    done = threading.Event()

    def script(one: socket.socket) -> None:
        try:
            one.sendall(greeting)
            while data := one.recv(1000):
                if data == b"HI\r\n":
                    one.sendall(b"HELLO 1\r\n")
            ends.append("FIN")
        except ConnectionResetError:
            ends.append("RST")
        finally:
            done.set()

    return ends, done, Server(script)


def test_a_finished_conversation_ends_with_rst_and_leaves_no_time_wait() -> None:
    ends, done, server = watching(b"")
    with server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[at_home(TOY, server.port)])
        done.wait(5)
    assert seen.verdict == "unauthenticated"
    assert ends == ["RST"]


def test_a_farewell_is_not_thrown_away_by_a_reset() -> None:
    def polite(peer: Peer) -> Conversation:
        yield Send(b"HI\r\n")
        line = yield Receive(until=b"\r\n")
        yield Send(b"QUIT\r\n")
        return Facts(service="s", verdict="limited", evidence=line)

    ends, done, server = watching(b"")
    with server:
        ask(("127.0.0.1", server.port), probes=[probe(polite, ports=(server.port,))])
        done.wait(5)
    assert ends == ["FIN"]


def test_a_server_that_greets_is_left_politely() -> None:
    """MySQL counts what breaks off after its greeting, and blocks the address after a hundred."""
    ends, done, server = watching(b"J\0\0\0\x0a8.0.1\0")
    with server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[TOY])
        done.wait(5)
    assert seen.verdict == "unidentified"
    assert ends == ["FIN"]


def _datagram(peer: Peer) -> Conversation:
    yield Send(b"?")
    if not (yield Receive(at_most=100, wait=1.0)):
        raise NotThis
    return Facts(service="udp", verdict="limited")


def test_the_driver_runs_on_the_poller_of_other_systems_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "best_poller", SelectorPoller)
    with Server(hello) as server, Server(silent) as mute:
        found = ask(("127.0.0.1", server.port), ("127.0.0.1", mute.port), ("127.0.0.1", 1), probes=[TOY, HTTP])
    assert {one.port: one.verdict for one in found} == {
        server.port: "unauthenticated",
        mute.port: "unidentified",
        1: "closed",
    }
    with UdpServer(lambda data: [data]) as echo:
        (seen,) = ask(("127.0.0.1", echo.port), probes=[probe(_datagram, transport="udp")], transport="udp")
    assert seen.verdict == "limited"
