"""What is recorded from a real server replays to the same end."""

import json
from pathlib import Path

import msgspec
import pytest
from record import transcript
from replay import Transcript, differences, replay
from servers import server

from exposure_audit.probe.catalog import PROBES


@pytest.mark.xdist_group("redis")
def test_a_recording_replays(tmp_path: Path) -> None:
    with server("redis", tmp_path, 17) as running:
        text = transcript("redis", running.address, running.ports["tcp"], "recorded from a test")
    steps = msgspec.json.decode(text, type=Transcript)
    assert {"send": "*1\r\n$5\r\nHELLO\r\n"} in json.loads(text)["talk"]
    facts = replay(PROBES["redis"], steps).facts
    assert facts is not None
    assert facts.verdict == "unauthenticated"
    assert not differences(facts, steps.expect)
