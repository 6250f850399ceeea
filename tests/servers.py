"""Real servers for tests. What cannot be had here is skipped by name; under CI=true that is a failure."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exposure_audit.errors import RunError
from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.lab.servers.contract import Running

CACHE = Path(__file__).parents[1] / ".lab"


def loopback(number: int) -> str:
    """A loopback address of this test process alone, so that runs side by side do not meet."""
    own = os.getpid()
    return f"127.{70 + own % 50}.{own // 50 % 250}.{number}"


def unavailable(why: str) -> None:
    """Skip a test whose server cannot be had; in CI nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"server: {why}")
    pytest.skip(f"server: {why}")


def need(name: str) -> None:
    """Skip unless this server can be started here."""
    why = SERVERS[name].available(CACHE)
    if why:
        unavailable(f"{name}: {why}")
    with socket.socket() as one:
        try:
            one.bind((loopback(1), 0))
        except OSError:
            unavailable(f"{name}: this system has no loopback address but 127.0.0.1")


@contextmanager
def server(name: str, folder: Path, number: int, variant: str = "open") -> Iterator[Running]:
    """Start a real server at `loopback(number)`, stop it afterwards."""
    need(name)
    try:
        running = SERVERS[name].start(folder, loopback(number), variant=variant, cache=CACHE, ports=_ports(name))
    except RunError as error:
        pytest.fail(f"server {name} ({variant}) does not start: {error}")
    with running:
        yield running


def _ports(name: str) -> dict[str, int]:
    # An ordinary user may not have port 123.
    return {"udp": 11123} if name == "ntp" and os.geteuid() != 0 else {}
