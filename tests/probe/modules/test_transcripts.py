"""Every recorded conversation, replayed three ways: as it was, cut at each byte, and with bits turned."""

from pathlib import Path

import pytest
from replay import differences, flipped, load, name_of, prefix, replay, size_of, transcripts

from exposure_audit.probe.catalog import PROBES

ALL = transcripts()
# What a part of a refusal must never be taken for.
GRANTED = {"unauthenticated", "limited", "amplifier", "setup"}


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_as_recorded(path: Path) -> None:
    transcript = load(path)
    ending = replay(PROBES[transcript.probe], transcript)
    if transcript.expect == {"not_this": True}:
        assert ending.not_this, ending
    elif transcript.expect == {"cut": True}:
        assert ending.cut, ending
    else:
        assert ending.facts, ending
        assert not differences(ending.facts, transcript.expect)
        assert ending.facts.evidence


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_declared_details_are_what_comes_out(path: Path) -> None:
    transcript = load(path)
    probe = PROBES[transcript.probe]
    facts = replay(probe, transcript).facts
    if facts is None:
        return
    assert facts.service == probe.service
    for name, value in facts.details.items():
        assert type(value) is probe.details[name], f"declare {name} in PROBE.details of {probe.name}"


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_cut_at_each_byte_proves_no_more_than_the_whole(path: Path) -> None:
    transcript = load(path)
    probe = PROBES[transcript.probe]
    whole = replay(probe, transcript).facts
    allowed = GRANTED if whole and whole.verdict in GRANTED else set()
    for length in range(size_of(transcript)):
        facts = replay(probe, transcript, prefix(transcript, length)).facts
        assert facts is None or facts.verdict not in GRANTED or allowed, f"after {length} bytes: {facts}"


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_turned_bits_break_nothing(path: Path) -> None:
    transcript = load(path)
    probe = PROBES[transcript.probe]
    for steps in flipped(transcript):
        replay(probe, transcript, steps)  # Raises what is neither Facts nor NotThis nor Cut.
