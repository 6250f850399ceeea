"""Starting and stopping the real servers: refusals with advice, no orphan, nothing outside loopback."""

import os
import socket
import sys
from pathlib import Path

import pytest
from servers import CACHE, loopback, need, server

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import _process
from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.lab.servers.contract import Order, Running, Server

pytestmark = pytest.mark.xdist_group("lab-servers")


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_has_both_configurations_and_says_what_they_are(name: str) -> None:
    found = SERVERS[name]
    assert found.name == name
    assert {"open", "locked"} <= set(found.variants)
    assert all(found.variants.values())
    assert found.ports


@pytest.mark.parametrize("name", SERVERS)
def test_nothing_starts_outside_loopback(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="loopback"):
        SERVERS[name].start(tmp_path, "192.0.2.1", cache=CACHE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SERVERS)
def test_an_unknown_variant_names_those_that_exist(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no variant 'ajar'") as caught:
        SERVERS[name].start(tmp_path, loopback(61), variant="ajar", cache=CACHE)
    assert "locked" in caught.value.mend


def test_what_is_not_there_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing = tmp_path / "cache"
    assert SERVERS["opensearch"].available(nothing)
    with pytest.raises(RunError, match=r"java|not built"):
        SERVERS["opensearch"].start(tmp_path / "run", loopback(61), cache=nothing)


def test_an_occupied_port_is_an_error_with_the_last_words_of_the_server(tmp_path: Path) -> None:
    need("redis")
    with socket.socket() as one:
        one.bind((loopback(62), 0))
        one.listen()
        port = one.getsockname()[1]
        with pytest.raises(RunError, match=r"ended with code \d") as caught:
            SERVERS["redis"].start(tmp_path, loopback(62), ports={"tcp": port}, cache=CACHE)
    assert caught.value.where.endswith("redis.log")


def test_leaving_the_block_ends_the_process_and_frees_the_port(tmp_path: Path) -> None:
    with server("redis", tmp_path, 63) as running:
        assert _process.accepts(running.address, running.ports["tcp"])
        assert os.getsid(running.pid) == running.pid, "a session of its own: Ctrl-C is ours to pass on"
    assert running.process.returncode is not None
    assert not _process.accepts(running.address, running.ports["tcp"])
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_it_listens_where_it_was_told_and_nowhere_else(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 64) as running:
        assert not _process.accepts("127.0.0.1", running.ports["tcp"]) or _foreign("127.0.0.1", running)
        assert not _process.accepts(loopback(65), running.ports["tcp"])


def _foreign(address: str, running: Running) -> bool:
    """Somebody else's memcached: it has another process id."""
    said = _process.ask(address, running.ports["tcp"], b"stats\r\n")
    return b"STAT pid %d\r\n" % running.pid not in said


def test_locked_is_short_for_the_variant(tmp_path: Path) -> None:
    need("redis")
    with SERVERS["redis"].start(tmp_path, loopback(66), locked=True, cache=CACHE) as running:
        assert running.variant == "locked"
        assert _process.ask(running.address, running.ports["tcp"], b"PING\r\n").startswith(b"-NOAUTH")


def stubborn(order: Order, code: str) -> Running:
    log = order.run_dir / "log"
    process = _process.launch([sys.executable, "-c", code], cwd=order.run_dir, log=log)
    _process.wait(process, lambda: b"up" in log.read_bytes(), seconds=20, log=log)
    return Running(
        name="x", service="x", title="x", version="", variant="open", address=order.address, ports={},
        process=process, log=log,
    )  # fmt: skip


def test_who_does_not_go_by_itself_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    fake = Server(
        name="x", service="x", title="x", ports={}, variants={"open": "", "locked": ""},
        missing=lambda _: None, launch=lambda order: stubborn(order, code),
    )  # fmt: skip
    with fake.start(tmp_path, "127.0.0.1") as running:
        pass
    assert running.process.returncode == -9


def test_who_never_answers_is_ended_within_the_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = _process.launch([sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, log=log)
    with pytest.raises(RunError, match=r"no answer within 0\.2 s"):
        _process.wait(process, lambda: False, seconds=0.2, log=log)
    assert process.returncode == -9
