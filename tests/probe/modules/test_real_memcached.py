"""Against a real Memcached over TCP and UDP, over the real driver."""

from pathlib import Path

import pytest
from asking import observe
from servers import server

pytestmark = pytest.mark.xdist_group("memcached")


def test_tcp_open(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 21) as running:
        seen = observe(running.address, running.ports["tcp"])
    assert (seen.probe, seen.verdict, seen.access) == ("memcached", "unauthenticated", "write")
    assert seen.version == running.version
    assert seen.details["udp_port"] == running.ports["udp"]
    assert seen.details["curr_items"] == 0


def test_tcp_locked(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 22, "locked") as running:
        seen = observe(running.address, running.ports["tcp"])
        assert observe(running.address, 11211, "udp").verdict in {"closed", "filtered"}
    assert (seen.probe, seen.verdict, seen.access) == ("memcached", "auth-required", "none")


def test_udp_reflects_and_the_factor_is_measured(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 23) as running:
        seen = observe(running.address, running.ports["udp"], "udp")
    assert (seen.probe, seen.verdict) == ("memcached-udp", "amplifier")
    measured = seen.amplification
    assert measured is not None
    assert measured.bytes_out == 8 + len("stats\r\n")
    # An idle 1.6 sends about 2.2 kB of statistics in two datagrams of at most 1400 bytes.
    assert 1400 < measured.bytes_in < 4000
    assert measured.packets_in >= 2
    assert measured.factor == pytest.approx(measured.bytes_in / 15, abs=0.01)


def test_udp_without_measuring_sends_the_small_question_only(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 24) as running:
        seen = observe(running.address, running.ports["udp"], "udp", measure=False)
    assert seen.amplification is not None
    assert seen.amplification.bytes_out == 8 + len("version\r\n")
    assert seen.amplification.bytes_in == 8 + len(f"VERSION {running.version}\r\n")


def test_over_tls(tmp_path: Path) -> None:
    with server("memcached", tmp_path, 25, "tls") as running:
        seen = observe(running.address, running.ports["tls"])
    assert (seen.probe, seen.verdict, seen.tls) == ("memcached", "unauthenticated", True)
