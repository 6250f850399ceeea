"""The driver with friendly peers: framing, TLS, UDP, IPv6, names, politeness, order of questions."""

import contextlib
import os
import queue
import socket
import ssl
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from peers import (
    HTTP,
    TOY,
    Server,
    UdpServer,
    ask,
    at_home,
    certificates,
    free_port,
    hello,
    probe,
    refuse,
    silent,
    tls_context,
)

from exposure_audit.model.observation import Facts
from exposure_audit.model.plan import Budget, Scope
from exposure_audit.probe.contract import Conversation, Cut, NotThis, Peer, Receive, Reconnect, Send, StartTLS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1"])
def test_a_conversation_over_ipv4_and_ipv6(address: str) -> None:
    with Server(hello, address=address) as server:
        (seen,) = ask((address, server.port))
    assert (seen.verdict, seen.service, seen.version) == ("unauthenticated", "toy", "4.2")
    assert seen.product == f"Toy of {address}"
    assert (seen.probe, seen.connections, seen.tls) == ("toy", 1, False)
    assert seen.evidence == "HELLO 4.2"


def test_framing_is_exact_however_the_bytes_arrive() -> None:
    def pieces(one: socket.socket) -> None:
        one.recv(10)
        for byte in b"ab\r\n12345rest!":
            one.sendall(bytes([byte]))
            time.sleep(0.002)

    got: list[bytes] = []

    def reads(peer: Peer) -> Conversation:
        yield Send(b"x")
        got.append((yield Receive(until=b"\r\n")))
        got.append((yield Receive(exactly=5)))
        got.append((yield Receive(exactly=4)))
        got.append((yield Receive(at_most=100)))
        got.append((yield Receive(at_most=100)))
        try:
            yield Receive(exactly=1)
        except Cut as cut:
            return Facts(service="s", verdict="limited", details={"reset": cut.reset})
        raise NotThis

    with Server(pieces) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[probe(reads, ports=(server.port,))])
    assert seen.details == {"reset": False}
    assert got == [b"ab\r\n", b"12345", b"rest", b"!", b""]


def test_wait_gives_nothing_instead_of_a_time_out_and_a_limit_cuts() -> None:
    got: list[object] = []

    def listens(peer: Peer) -> Conversation:
        got.append((yield Receive(at_most=9, wait=0.05)))
        yield Send(b"x")
        try:
            yield Receive(until=b"\n", limit=8)
        except Cut as cut:
            got.append(cut.data)
        return Facts(service="s", verdict="limited")

    with Server(lambda one: one.sendall(b"long" * 9) if one.recv(9) else None) as server:
        ask(("127.0.0.1", server.port), probes=[probe(listens, ports=(server.port,))])
    assert got == [b"", b"longlong"]


def test_reconnect_opens_a_new_connection_of_the_same_kind(files: dict[str, Path]) -> None:
    def twice(peer: Peer) -> Conversation:
        yield Reconnect()
        yield Send(b"HI\r\n")
        line = yield Receive(until=b"\r\n")
        return Facts(service="s", verdict="limited", evidence=line)

    for context in (None, tls_context(files)):
        with Server(hello, tls=context) as server:
            one = at_home(probe(twice), server.port, tls=context is not None)
            (seen,) = ask(("127.0.0.1", server.port), probes=[one])
            assert server.connections == 2
        assert (seen.evidence, seen.connections, seen.tls) == ("HELLO 4.2", 2, context is not None)


# --- TLS ---


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_on_a_tls_port_sends_the_name_and_only_names(files: dict[str, Path], newest: ssl.TLSVersion) -> None:
    names: list[str | None] = []
    context = tls_context(files, newest=newest)
    context.sni_callback = lambda _, name, __: names.append(name)
    with Server(hello, tls=context) as server:
        toy = at_home(TOY, server.port, tls=True)
        (by_name,) = ask(("127.0.0.1", server.port), probes=[toy], server_name="db.example.test")
        (by_address,) = ask(("127.0.0.1", server.port), probes=[toy])
    assert names == ["db.example.test", None], "RFC 6066: no address literal in SNI"
    assert by_name.tls
    assert by_name.product == "Toy of db.example.test"
    assert (by_address.verdict, by_address.details["tls"], by_address.connections) == ("unauthenticated", True, 1)


def test_an_unknown_tls_port_is_found_out(files: dict[str, Path]) -> None:
    with Server(hello, tls=tls_context(files)) as server:
        (seen,) = ask(("127.0.0.1", server.port))
    assert (seen.verdict, seen.tls) == ("unauthenticated", True)
    assert seen.connections == 2


def test_a_clear_server_on_a_tls_port_is_asked_in_clear() -> None:
    with Server(hello) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[at_home(TOY, server.port, tls=True)])
    assert (seen.verdict, seen.tls) == ("unauthenticated", False)


def test_https_that_complains_in_clear_is_asked_http_over_tls() -> None:
    def nginx(one: socket.socket) -> None:
        one.recv(1000)
        one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port\r\n")

    sent: list[tuple[str, bytes]] = []
    with Server(nginx) as server:
        ask(
            ("127.0.0.1", server.port),
            probes=[TOY, HTTP],
            trace=lambda _, direction, data: sent.append((direction, data)),
        )
    notes = [data.decode() for direction, data in sent if direction == "note" and b" to " in data]
    assert notes[:2] == ["toy to 127.0.0.1", "toy-http over TLS to 127.0.0.1"]


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_demanded_client_certificate_is_auth_required(files: dict[str, Path], newest: ssl.TLSVersion) -> None:
    with Server(hello, tls=tls_context(files, demand=True, newest=newest)) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[at_home(TOY, server.port, tls=True)])
    assert (seen.verdict, seen.tls) == ("auth-required", True)
    assert "mutual TLS" in seen.reason


def test_starttls_within_a_conversation(files: dict[str, Path]) -> None:
    context = tls_context(files)

    def upgrade(one: socket.socket) -> None:
        if one.recv(100) == b"TLS?\r\n":
            one.sendall(b"YES\r\n")
            with context.wrap_socket(one, server_side=True) as secure:
                hello(secure)

    def asks(peer: Peer) -> Conversation:
        yield Send(b"TLS?\r\n")
        yield Receive(until=b"\r\n")
        yield StartTLS()
        yield Send(b"HI\r\n")
        return Facts(service="s", verdict="limited", evidence=(yield Receive(until=b"\r\n")))

    with Server(upgrade) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[probe(asks, ports=(server.port,))])
    assert (seen.evidence, seen.tls) == ("HELLO 4.2", True)
    with Server(lambda one: one.sendall(b"YES\r\nno tls here") if one.recv(9) else None) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[probe(asks, ports=(server.port,))])
    assert seen.verdict == "unidentified"


# --- the order of questions ---


def test_the_port_orders_the_questions() -> None:
    asked: list[str] = []

    def recorder(name: str) -> object:
        def converse(peer: Peer) -> Conversation:
            asked.append(name)
            yield Send(b"HI\r\n")
            yield Receive(at_most=100)
            raise NotThis

        return converse

    with Server(refuse) as server:
        stranger = probe(recorder("stranger"), name="stranger")  # type: ignore[arg-type]
        home = probe(recorder("home"), name="home", ports=(server.port,))  # type: ignore[arg-type]
        (seen,) = ask(("127.0.0.1", server.port), probes=[stranger, home])
    assert list(dict.fromkeys(asked))[:2] == ["home", "stranger"]
    assert (seen.verdict, seen.evidence) == ("unidentified", "ERR what?")


def test_an_http_reply_leaves_only_http_questions() -> None:
    def web(one: socket.socket) -> None:
        asked = one.recv(1000)
        one.sendall(b"HTTP/1.1 200 toy\r\n\r\n" if asked.startswith(b"GET") else b"HTTP/1.1 400 Bad\r\n\r\n")

    def never(peer: Peer) -> Conversation:
        yield Send(b"\0\1\2")
        return Facts(service="asked", verdict="limited")

    binary = probe(never, name="binary", family="binary")
    with Server(web) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[TOY, binary, HTTP])
    assert (seen.service, seen.connections) == ("toy-http", 2)


def test_a_server_that_speaks_first_is_listened_to() -> None:
    def listens(peer: Peer) -> Conversation:
        line = yield Receive(until=b"\r\n")
        if not line.startswith(b"GREET"):
            raise NotThis
        return Facts(service="greeter", verdict="auth-required", evidence=line)

    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def greets(one: socket.socket) -> None:
        one.sendall(b"GREETINGS\r\n")
        try:
            heard.put(one.recv(100))
        except ConnectionResetError:
            heard.put(b"")

    with Server(greets) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[TOY, probe(listens, name="greeter")])
        said = heard.get(timeout=10), heard.get(timeout=10)
    assert (seen.service, seen.connections) == ("greeter", 2)
    assert said == (b"", b""), "nothing was said into its greeting"


def test_an_unknown_banner_is_evidence() -> None:
    with Server(lambda one: one.sendall(b"SSH-2.0-OpenSSH_9.7\r\n")) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[TOY, HTTP])
    assert (seen.verdict, seen.evidence) == ("unidentified", "SSH-2.0-OpenSSH_9.7")


def test_a_task_without_probes_is_connected_to_and_no_more() -> None:
    with Server(silent) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[])
    assert (seen.verdict, seen.connections) == ("unidentified", 1)


# --- UDP ---


def _udp(peer: Peer) -> Conversation:
    yield Send(b"PING%d" % peer.nonce)
    parts = []
    while part := (yield Receive(at_most=1400, wait=0.2)):
        parts.append(part)
    if not parts:
        raise NotThis
    return Facts(service="udp", verdict="amplifier", evidence=b"|".join(parts))


UDP = probe(_udp, name="udp", transport="udp")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_one_datagram_each_way(address: str) -> None:
    with UdpServer(lambda data: [data, b"x" * 3000, b"end"], address=address) as server:
        (seen,) = ask((address, server.port), probes=[UDP], transport="udp")
        assert server.datagrams == [b"PING7"]
    assert seen.verdict == "amplifier"
    assert seen.evidence.startswith("PING7|" + "x" * 200)


def test_a_closed_udp_port_is_told_by_icmp() -> None:
    (seen,) = ask(("127.0.0.1", free_port(kind=socket.SOCK_DGRAM)), probes=[UDP], transport="udp")
    assert (seen.verdict, seen.connections) == ("closed", 1)


def test_udp_silence_is_filtered_after_one_more_try() -> None:
    with UdpServer(lambda _: []) as server:
        (seen,) = ask(("127.0.0.1", server.port), probes=[UDP], transport="udp")
        assert len(server.datagrams) == 2
    assert (seen.verdict, seen.connections) == ("filtered", 2)


def test_a_datagram_from_elsewhere_is_not_an_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))

        def forge(_: bytes) -> list[bytes]:
            stranger.sendto(b"PONG", server.last)
            return []

        with UdpServer(forge) as server:
            (seen,) = ask(("127.0.0.1", server.port), probes=[UDP], transport="udp")
            assert len(server.datagrams) == 2
    assert seen.verdict == "filtered"


# --- names, resuming, politeness, progress ---


def test_names_are_resolved_and_each_address_is_checked() -> None:
    scope = Scope(names=("localhost",), loopback_only=True)
    answers = {"localhost": ("198.51.100.1", "127.0.0.1")}
    with Server(hello) as server:
        (seen,) = ask(("localhost", server.port), scope=scope, resolve=lambda name: answers[name])
        assert (seen.address, seen.dialled, seen.verdict) == ("localhost", "127.0.0.1", "unauthenticated")
        assert seen.product == "Toy of localhost"
        (rebound,) = ask(
            ("localhost", server.port), scope=scope, resolve=lambda _: ("198.51.100.1", "169.254.169.254")
        )
    assert rebound.verdict == "error"
    assert "refused by the scope guard" in rebound.reason


def test_a_name_that_cannot_be_resolved_is_our_failure() -> None:
    def nobody(name: str) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    scope = Scope(names=("localhost",), loopback_only=True)
    (seen,) = ask(("localhost", 80), scope=scope, resolve=nobody)
    assert (seen.verdict, seen.reason) == ("error", "localhost cannot be resolved: Name or service not known")
    (refused,) = ask(("db.example.test", 80), scope=scope, resolve=nobody)
    assert "scope guard" in refused.reason


def test_what_is_known_already_is_not_asked_again() -> None:
    with Server(hello) as first, Server(hello) as second:
        found = ask(
            ("127.0.0.1", first.port), ("127.0.0.1", second.port), already={("127.0.0.1", first.port, "tcp")}
        )
        assert (first.connections, second.connections) == (0, 1)
    assert [one.port for one in found] == [second.port]


def test_one_address_is_asked_slowly_and_one_thing_at_a_time() -> None:
    times: list[float] = []
    running = [0, 0]

    def counted(one: socket.socket) -> None:
        times.append(time.monotonic())
        running[0] += 1
        running[1] = max(running)
        try:
            hello(one)
        finally:
            running[0] -= 1

    polite = Budget(
        connect_seconds=1, total_seconds=2, per_address_rate=10, per_address_concurrency=1, global_rate=0
    )
    with Server(counted) as first, Server(counted) as second, Server(counted) as third:
        ask(*(("127.0.0.1", one.port) for one in (first, second, third)), budget=polite)
    assert len(times) == 3
    assert all(later - earlier > 0.08 for earlier, later in pairwise(times))
    assert running[1] == 1


def test_progress_reaches_the_end() -> None:
    told: list[tuple[str, int, int]] = []
    with Server(hello) as server:
        ask(("127.0.0.1", server.port), progress=lambda *step: told.append(step))
    assert told[0] == ("probe", 0, 1)
    assert told[-1] == ("probe", 1, 1)


def test_the_dialogue_can_be_followed() -> None:
    said: list[tuple[tuple[str, int, str], str, bytes]] = []
    with Server(hello) as server:
        ask(("127.0.0.1", server.port), trace=lambda *step: said.append(step))
        key = ("127.0.0.1", server.port, "tcp")
    assert (key, "sent", b"HI\r\n") in said
    assert (key, "received", b"HELLO 4.2\r\n") in said


STARVED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
import exposure_audit.probe.run as run
run.open_files = lambda: 1000  # What a machine says whose other programs take the descriptors meanwhile.
from peers import TOY, ask
port = int(sys.argv[1])
for one in ask(*((f"127.0.7.{n}", port) for n in range(1, 101))):
    print(one.verdict, one.reason)
"""


def test_a_lack_of_descriptors_slows_the_run_down_and_changes_no_result() -> None:
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(Server(hello, address="127.0.7.1")).port
        for number in range(2, 101):
            stack.enter_context(Server(hello, address=f"127.0.7.{number}", port=port))
        done = subprocess.run(
            [sys.executable, "-c", STARVED, str(port)],
            capture_output=True, text=True, timeout=60, cwd=Path(__file__).parent, check=True,
            env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parent}"},
        )  # fmt: skip
    assert done.stdout.split("\n")[:-1] == ["unauthenticated "] * 100
