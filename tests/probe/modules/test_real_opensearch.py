"""Against a real OpenSearch from Maven Central, over the real driver."""

from pathlib import Path

import pytest
from asking import observe
from servers import server

pytestmark = pytest.mark.xdist_group("opensearch")


def test_open(tmp_path: Path) -> None:
    with server("opensearch", tmp_path, 41) as running:
        seen = observe(running.address, running.ports["http"])
        transport = observe(running.address, running.ports["transport"])
    assert (seen.probe, seen.verdict, seen.access) == ("elasticsearch", "unauthenticated", "metadata")
    assert (seen.product, seen.version) == ("OpenSearch", running.version)
    assert (seen.details["nodes"], seen.details["cluster_name"]) == (1, "lab")
    assert transport.verdict == "unidentified"


@pytest.mark.parametrize(("variant", "verdict"), [("locked", "auth-required"), ("anonymous", "limited")])
def test_with_its_security_plugin(tmp_path: Path, variant: str, verdict: str) -> None:
    with server("opensearch", tmp_path, 42, variant) as running:
        seen = observe(running.address, running.ports["http"])
    assert (seen.probe, seen.product, seen.verdict) == ("elasticsearch", "OpenSearch", verdict)


def test_over_tls(tmp_path: Path) -> None:
    with server("opensearch", tmp_path, 43, "tls") as running:
        seen = observe(running.address, running.ports["http"])
    assert (seen.probe, seen.product, seen.tls) == ("elasticsearch", "OpenSearch", True)
    assert seen.verdict == "auth-required"
