"""Against a real Redis in all its variants, over the real driver."""

import socket
from pathlib import Path

import pytest
from asking import observe
from servers import CACHE, need, server, unavailable

from exposure_audit.lab.servers._process import ask, program
from exposure_audit.lab.servers.catalog import SERVERS

pytestmark = pytest.mark.xdist_group("redis")


@pytest.mark.parametrize(
    ("variant", "verdict", "access"),
    [
        ("open", "unauthenticated", "write"),
        ("locked", "auth-required", "none"),
        ("limited", "limited", "metadata"),
        ("no-default", "auth-required", "none"),
        ("renamed", "unauthenticated", "write"),
    ],
)
def test_plain(tmp_path: Path, variant: str, verdict: str, access: str) -> None:
    with server("redis", tmp_path, 11, variant) as running:
        seen = observe(running.address, running.ports["tcp"])
    assert (seen.probe, seen.service, seen.verdict, seen.access) == ("redis", "redis", verdict, access)
    assert not seen.tls
    if verdict != "auth-required":
        assert seen.version == running.version


def test_protected_mode_blocks(tmp_path: Path) -> None:
    if program("cc", "gcc", "clang") is None:
        unavailable("redis (protected): no C compiler")
    with server("redis", tmp_path, 12, "protected") as running:
        seen = observe(running.address, running.ports["tcp"])
    assert (seen.probe, seen.verdict) == ("redis", "blocked")
    assert "protected mode" in seen.evidence


def test_sentinel(tmp_path: Path) -> None:
    with server("redis", tmp_path, 13, "sentinel") as running:
        seen = observe(running.address, running.ports["sentinel"])
    assert (seen.verdict, seen.details["mode"]) == ("unauthenticated", "sentinel")


def test_tls(tmp_path: Path) -> None:
    with server("redis", tmp_path, 14, "tls") as running:
        seen = observe(running.address, running.ports["tls"])
    assert (seen.probe, seen.verdict, seen.access) == ("redis", "unauthenticated", "write")
    assert seen.tls


def test_tls_with_client_certificates_demands_one(tmp_path: Path) -> None:
    with server("redis", tmp_path, 15, "mtls") as running:
        seen = observe(running.address, running.ports["tls"])
    assert seen.verdict == "auth-required"
    assert seen.tls


def test_counts_keys_and_names_none(tmp_path: Path) -> None:
    with server("redis", tmp_path, 16) as running:
        said = ask(running.address, running.ports["tcp"], b"SET secret-name 1\r\n")
        assert said == b"+OK\r\n"
        seen = observe(running.address, running.ports["tcp"])
    assert (seen.details["databases"], seen.details["keys"]) == (1, 1)
    assert "secret-name" not in repr(seen)


def test_over_ipv6(tmp_path: Path) -> None:
    need("redis")
    if not socket.has_ipv6:
        unavailable("redis: no IPv6 here")
    with socket.socket(socket.AF_INET6) as one:
        try:
            one.bind(("::1", 0))
        except OSError:
            unavailable("redis: no ::1 here")
        port = one.getsockname()[1]
    with SERVERS["redis"].start(tmp_path, "::1", ports={"tcp": port}, cache=CACHE) as running:
        seen = observe("::1", running.ports["tcp"])
    assert (seen.address, seen.probe, seen.verdict) == ("::1", "redis", "unauthenticated")
