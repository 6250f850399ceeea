"""Runs the installed program as a user does, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

PROGRAM = [sys.executable, "-m", "exposure_audit"]
TIMES = {"started_at", "finished_at", "observed_at", "first_seen", "duration_ms"}


def run(
    *words: str, cwd: Path, stdin: str = "", env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run to the end; text in, text out."""
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def start(*words: str, cwd: Path, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start and do not wait."""
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process: "subprocess.Popen[str]", how: signal.Signals) -> int:
    """Send a signal and wait for the end."""
    process.send_signal(how)
    process.communicate(timeout=60)
    return process.returncode


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds; fail after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def without_times(value: Any) -> Any:
    """A report with everything left out that two scans of one world may differ in."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value


def report_of(path: Path) -> Any:
    """Read a JSON report; the id of the run is a time too."""
    report = json.loads(path.read_text())
    del report["scan"]["id"]
    return without_times(report)


@contextmanager
def server(address: str, talk: Callable[[socket], None], port: int = 0) -> Iterator[int]:
    """A TCP server on a loopback address that talks to each visitor as the function says."""
    import contextlib

    listener = socket()
    listener.bind((address, port))
    listener.listen(64)

    def visit(visitor: socket) -> None:
        with contextlib.suppress(OSError), visitor:
            talk(visitor)

    def serve() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=visit, args=(visitor,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(SHUT_RDWR)  # Wakes the thread in `accept`, which would keep the port open.
        listener.close()


def redis_without_password(visitor: socket) -> None:
    """Answers as Redis 7.0.15 does when it knows HELLO, INFO and ACL WHOAMI and nobody needs a password."""
    while data := visitor.recv(4096):
        time.sleep(0.15)
        if b"HELLO" in data:
            visitor.sendall(
                b"*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n"
                b"$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
            )
        elif b"INFO" in data:
            body = b"# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"
            visitor.sendall(b"$%d\r\n%s\r\n" % (len(body), body))
        else:
            visitor.sendall(b"-ERR unknown command\r\n")


def redis_with_password(visitor: socket) -> None:
    """Answers every question as Redis with requirepass does."""
    while visitor.recv(4096):
        time.sleep(0.15)
        visitor.sendall(b"-NOAUTH Authentication required.\r\n")
