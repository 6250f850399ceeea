"""Starting a program of ours: its own group, output into a file, a bounded wait for its first answer."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exposure_audit.errors import RunError

STEP_SECONDS = 0.05


def program(*names: str) -> str | None:
    """The path of the first of these programs that is installed; /usr/sbin counts for ordinary users too.

    Debian keeps the programs of PostgreSQL out of the way, one folder a version.
    """
    aside = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", *aside])
    return next((path for name in names if (path := shutil.which(name, path=places))), None)


def launch(
    words: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a program whose output goes into `log`. It gets a session of its own: Ctrl-C is ours to pass on."""
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - the words are ours
            list(words),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )


def output(words: Sequence[str], *, seconds: float = 20.0, environment: Mapping[str, str] | None = None) -> str:
    """What a short-lived program prints, on either channel; empty when it fails to run."""
    variables = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            list(words), capture_output=True, timeout=seconds, env=variables, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def wait(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], *, seconds: float, log: Path) -> None:
    """Wait until `ready` says so. Stops the process and raises RunError when it ends first or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RunError(f"ended with code {process.returncode}: {tail(log)}", where=str(log))
        if ready():
            return
        time.sleep(STEP_SECONDS)
    process.kill()
    process.wait()
    raise RunError(f"no answer within {seconds:g} s: {tail(log)}", where=str(log))


def tail(log: Path) -> str:
    """The last line of a log, for a message."""
    lines = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "its log is empty")


def ask(address: str, port: int, question: bytes, *, udp: bool = False, seconds: float = 1.0) -> bytes:
    """The first bytes of an answer; b"" when there is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as one:
        one.settimeout(seconds)
        try:
            one.connect((address, port))
            one.sendall(question)
            return one.recv(65536)
        except OSError:
            return b""


def ask_tls(address: str, port: int, question: bytes, *, seconds: float = 3.0) -> bytes:
    """The same over TLS, whatever certificate the server shows: it is our own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=seconds) as plain,
            context.wrap_socket(plain) as one,
        ):
            one.sendall(question)
            return one.recv(65536)
    except OSError:
        return b""


def accepts(address: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(1.0)
        return one.connect_ex((address, port)) == 0


def compile_shim(source: Path, target: Path) -> Path:
    """Build a small library for LD_PRELOAD, once. Raises RunError when the compiler refuses."""
    compiler = program("cc", "gcc", "clang")
    if compiler is None:
        raise RunError("there is no C compiler", where=source.name, mend="apt-get install gcc libc6-dev")
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        mine = target.with_suffix(f".{os.getpid()}")
        said = output([compiler, "-shared", "-fPIC", "-O1", "-o", str(mine), str(source), "-ldl"], seconds=60)
        if not mine.exists():
            raise RunError(f"cannot be compiled: {said[:300]}", where=source.name)
        mine.replace(target)
    return target
