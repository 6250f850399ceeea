"""Peers for the tests of the driver: small scripted servers on loopback, toy probes, and a plan around them."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from exposure_audit.model.observation import Facts, Observation, Transport
from exposure_audit.model.plan import Budget, ProbePlan, Scope, Task
from exposure_audit.probe.contract import Conversation, NotThis, Peer, Probe, Receive, Send
from exposure_audit.probe.run import run_plan

Script = Callable[[socket.socket], None]
LOOPBACK = Scope(targets=("127.0.0.0/8", "::1"), loopback_only=True)
FAST = Budget(
    connect_seconds=1.0,
    total_seconds=2.0,
    max_bytes=65536,
    max_connections=6,
    per_address_rate=0,
    per_address_concurrency=0,
    global_rate=0,
)
CLOCK = "2026-01-02T03:04:05Z"


class Server:
    """Runs a script for each connection, one after the other, each in a thread. Counts them."""

    def __init__(
        self, script: Script, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._script, self._tls = script, tls
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(128)
        self.address, self.port = address, int(self._listener.getsockname()[1])
        self.connections = 0
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()
        for one in self.open:
            with contextlib.suppress(OSError):
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(one)
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), one:
            one.settimeout(20)
            if self._tls is None:
                self._script(one)
            else:
                with self._tls.wrap_socket(one, server_side=True) as secure:
                    self._script(secure)


class UdpServer:
    """Answers each datagram with those that `script` returns."""

    def __init__(self, script: Callable[[bytes], Sequence[bytes]], *, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address, self.port = address, int(self.socket.getsockname()[1])
        self._script = script
        self.datagrams: list[bytes] = []
        self.last: tuple[str, int] = ("", 0)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, where = self.socket.recvfrom(65535)
                self.datagrams.append(data)
                self.last = where[:2]
                for answer in self._script(data):
                    self.socket.sendto(answer, where)


def reset(one: socket.socket) -> None:
    """Close with RST."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def hello(one: socket.socket) -> None:
    """The server of the toy protocol: HI, then HELLO with a version."""
    if one.recv(100) == b"HI\r\n":
        one.sendall(b"HELLO 4.2\r\n")
        one.recv(100)


def refuse(one: socket.socket) -> None:
    """Another protocol, in lines."""
    while one.recv(1000):
        one.sendall(b"ERR what?\r\n")


def silent(one: socket.socket) -> None:
    """Listen, and say nothing until the peer goes."""
    while one.recv(1000):
        pass


def _toy(peer: Peer) -> Conversation:
    yield Send(b"HI\r\n")
    line = yield Receive(until=b"\r\n", limit=200)
    if not line.startswith(b"HELLO "):
        raise NotThis("no HELLO")
    return Facts(
        service="toy",
        product=f"Toy of {peer.host}",
        version=line[6:].strip().decode(),
        verdict="unauthenticated",
        access="metadata",
        evidence=line.strip(),
        details={"tls": peer.tls},
    )


def _http(peer: Peer) -> Conversation:
    yield Send(f"GET / HTTP/1.0\r\nHost: {peer.host}\r\n\r\n".encode())
    line = yield Receive(until=b"\r\n")
    if not line.startswith(b"HTTP/1.1 200 toy"):
        raise NotThis("no toy over HTTP")
    return Facts(service="toy-http", verdict="public-info", evidence=line.strip())


def probe(
    converse: Callable[[Peer], Conversation],
    *,
    name: str = "probe",
    ports: tuple[int, ...] = (),
    tls_ports: tuple[int, ...] = (),
    family: Any = "line",
    transport: Transport = "tcp",
) -> Probe:
    """A probe around a generator."""
    return Probe(
        name=name,
        service=name,
        title=name,
        transport=transport,
        ports=ports,
        tls_ports=tls_ports,
        family=family,
        safety="handshake",
        sends=("a test",),
        details={},
        converse=converse,
    )


TOY = probe(_toy, name="toy")
HTTP = probe(_http, name="toy-http", family="http")


def at_home(one: Probe, port: int, *, tls: bool = False) -> Probe:
    """The same probe, at home on a port."""
    return probe(
        one.converse,
        name=one.name,
        family=one.family,
        transport=one.transport,
        ports=() if tls else (port,),
        tls_ports=(port,) if tls else (),
    )


def ask(
    *places: tuple[str, int],
    probes: Sequence[Probe] = (TOY,),
    budget: Budget = FAST,
    scope: Scope = LOOPBACK,
    transport: Transport = "tcp",
    server_name: str = "",
    **more: Any,
) -> list[Observation]:
    """Run a plan against places; return what was observed, in order of arrival."""
    found: list[Observation] = []
    names = tuple(one.name for one in probes)
    plan = ProbePlan(
        tasks=tuple(
            Task(address=address, port=port, transport=transport, probes=names, server_name=server_name)
            for address, port in places
        ),
        scope=scope,
        budget=budget,
    )
    options: dict[str, Any] = {"clock": lambda: CLOCK, "nonce": lambda: 7, **more}
    run_plan(plan, probes={one.name: one for one in probes}, on_observation=found.append, **options)
    return found


def free_port(address: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """A port where nobody listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """A port that answers no SYN: a listener whose queue is full (Linux drops further SYNs)."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def certificates(folder: Path) -> dict[str, Path]:
    """Make a throw-away authority and a certificate of `db.example.test`, with the openssl program."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=db.example.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"key": key, "certificate": certificate}


def tls_context(
    files: dict[str, Path], *, demand: bool = False, newest: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A server's context; `demand` a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["certificate"], files["key"])
    if newest is not None:
        context.maximum_version = newest
    if demand:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files["certificate"])
    return context
