"""Against a real ntpd, over the real driver."""

from pathlib import Path

import pytest
from asking import observe
from servers import server

pytestmark = pytest.mark.xdist_group("ntp")


def test_control_queries_of_anyone_amplify(tmp_path: Path) -> None:
    with server("ntp", tmp_path, 31) as running:
        seen = observe(running.address, running.ports["udp"], "udp")
    assert (seen.probe, seen.verdict) == ("ntp", "amplifier")
    assert seen.version == running.version
    assert seen.details["mode6"] is True
    measured = seen.amplification
    assert measured is not None
    # READVAR is a header of 12 bytes; the answer names about twenty variables.
    assert measured.bytes_out == 12
    assert measured.bytes_in > 200
    assert measured.factor == pytest.approx(measured.bytes_in / 12, abs=0.01)


def test_noquery_tells_the_time_only(tmp_path: Path) -> None:
    with server("ntp", tmp_path, 32, "locked") as running:
        seen = observe(running.address, running.ports["udp"], "udp")
    assert (seen.probe, seen.verdict) == ("ntp", "public-info")
    assert seen.amplification is None
    assert seen.details["mode6"] is False
