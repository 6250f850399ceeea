"""AWS on loopback: a moto server in a process of its own."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exposure_audit.errors import RunError

START_SECONDS = 60.0


def available() -> str | None:
    """Say why there can be no cloud here; None when there can."""
    if importlib.util.find_spec("moto") is None:
        return "moto is not installed: pip install 'exposure-audit[lab]'"
    return None


def environment(endpoint: str) -> dict[str, str]:
    """The variables under which any AWS SDK speaks to the lab and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port of a loopback address that nobody uses at this moment."""
    with socket.socket() as one:
        one.bind((address, 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def moto_server(run_dir: Path) -> Iterator[str]:
    """Start moto, yield its endpoint, stop it. Raises RunError when it does not start in time."""
    why = available()
    if why:
        raise RunError(why, where="lab")
    run_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = run_dir / "moto.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment(f"http://127.0.0.1:{port}")},
        )
    try:
        _wait(f"http://127.0.0.1:{port}/moto-api/data.json", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    # No proxy: the answer must come from this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RunError("the cloud API of the lab did not start", where=str(log), mend="read that log")
