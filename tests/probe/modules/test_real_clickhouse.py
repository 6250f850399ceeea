"""Against a real ClickHouse, over the real driver."""

from collections.abc import Iterator

import pytest
from asking import observe
from servers import CACHE, loopback, need, server

from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.lab.servers.contract import Running

pytestmark = pytest.mark.xdist_group("clickhouse")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with server("clickhouse", tmp_path_factory.mktemp("open"), 1) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with server("clickhouse", tmp_path_factory.mktemp("locked"), 2, "locked") as running:
        yield running


def test_http_open(opened: Running) -> None:
    seen = observe(opened.address, opened.ports["http"])
    assert (seen.probe, seen.verdict, seen.access) == ("clickhouse-http", "unauthenticated", "write")
    assert (seen.service, seen.product, seen.version) == ("clickhouse", "ClickHouse", opened.version)
    assert seen.details["readonly"] == 0
    assert seen.details["tables"] == 0
    assert opened.version in seen.evidence


def test_http_locked(locked: Running) -> None:
    seen = observe(locked.address, locked.ports["http"])
    assert (seen.probe, seen.verdict, seen.access) == ("clickhouse-http", "auth-required", "none")
    # REQUIRED_PASSWORD before 20.x, AUTHENTICATION_FAILED since.
    assert seen.details["exception_code"] in {194, 516}


def test_native_open(opened: Running) -> None:
    seen = observe(opened.address, opened.ports["native"])
    assert (seen.probe, seen.verdict) == ("clickhouse-native", "unauthenticated")
    assert seen.version == opened.version


def test_native_locked(locked: Running) -> None:
    seen = observe(locked.address, locked.ports["native"])
    assert (seen.probe, seen.verdict) == ("clickhouse-native", "auth-required")
    assert seen.details["exception_code"] in {194, 516}


def test_interserver_open(opened: Running) -> None:
    seen = observe(opened.address, opened.ports["interserver"])
    assert (seen.probe, seen.verdict) == ("clickhouse-interserver", "unauthenticated")


def test_interserver_locked(locked: Running) -> None:
    seen = observe(locked.address, locked.ports["interserver"])
    assert (seen.probe, seen.verdict) == ("clickhouse-interserver", "auth-required")


@pytest.mark.parametrize(("name", "port"), [("http", "mysql"), ("native", "postgresql")])
def test_what_this_version_lacks_is_closed(opened: Running, name: str, port: str) -> None:
    if port in opened.ports:
        assert observe(opened.address, opened.ports[port]).verdict == "unauthenticated"
    else:
        assert observe(opened.address, {"mysql": 9004, "postgresql": 9005}[port]).verdict == "closed"
    assert name in opened.ports


def test_a_reader_only_reads(tmp_path_factory: pytest.TempPathFactory) -> None:
    with server("clickhouse", tmp_path_factory.mktemp("readonly"), 3, "readonly") as running:
        seen = observe(running.address, running.ports["http"])
        assert (seen.verdict, seen.access, seen.details["readonly"]) == ("unauthenticated", "read", 1)


def test_a_user_from_elsewhere_blocks_us(tmp_path_factory: pytest.TempPathFactory) -> None:
    with server("clickhouse", tmp_path_factory.mktemp("blocked"), 4, "blocked") as running:
        verdicts = [observe(running.address, running.ports[name]).verdict for name in ("http", "native")]
        # Since 20.x the server hides this behind AUTHENTICATION_FAILED.
        assert set(verdicts) <= {"blocked", "auth-required"}
        assert running.version != "18.16.1" or verdicts == ["blocked", "blocked"]


def test_over_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    with server("clickhouse", tmp_path_factory.mktemp("tls"), 6, "tls") as running:
        for name, probe in (("https", "clickhouse-http"), ("native_tls", "clickhouse-native")):
            seen = observe(running.address, running.ports[name])
            assert (seen.probe, seen.verdict, seen.tls) == (probe, "unauthenticated", True)


def test_on_a_foreign_port_it_is_found_all_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    need("clickhouse")
    folder = tmp_path_factory.mktemp("moved")
    ports = {"http": 18001, "native": 18002, "interserver": 18003, "mysql": 18004, "postgresql": 18005}
    with SERVERS["clickhouse"].start(folder, loopback(5), ports=ports, cache=CACHE) as running:
        assert observe(running.address, 18001).probe == "clickhouse-http"
        assert observe(running.address, 18002).probe == "clickhouse-native"
