"""The catalog, its folder and the transcripts belong together; each message says how to add what is missing."""

from pathlib import Path

import pytest
from replay import TALK, load, transcripts

from exposure_audit.probe.catalog import PROBES
from exposure_audit.probe.contract import Peer, Receive, Send

FOLDER = Path(__file__).parents[3] / "exposure_audit" / "probe" / "modules"
NEEDED = ("yes", "not-this", "cut")


def test_the_catalog_equals_the_folder() -> None:
    files = {path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"}
    listed = {PROBES.where(name).partition(":")[0].rpartition(".")[2] for name in PROBES}
    assert files == listed, (
        f"only in the folder: {sorted(files - listed)}, only in the catalog: {sorted(listed - files)}. "
        "A new probe is one file in probe/modules/ and one line in probe/catalog.py: "
        '"my-probe": f"{_MODULES}.my_probe:PROBE"'
    )


def test_the_catalog_is_sorted() -> None:
    assert list(PROBES) == sorted(PROBES), "keep the lines of probe/catalog.py in alphabetical order"


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_is_called_like_its_file(name: str) -> None:
    module, _, attribute = PROBES.where(name).partition(":")
    assert attribute == "PROBE", f"name the probe in {module} PROBE"
    assert PROBES[name].name == name, f'write name="{name}" in {module}'
    assert module.endswith(f".{name.replace('-', '_')}"), f"move {module} to {name.replace('-', '_')}.py"


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_says_what_it_sends(name: str) -> None:
    probe = PROBES[name]
    assert probe.sends, f"list every request of {name} in `sends`"
    assert probe.never, f"say in `never` what {name} deliberately does not do"
    assert probe.ports, f"name the usual ports of {name}"


@pytest.mark.parametrize("name", PROBES)
def test_the_first_step_sends_or_listens(name: str) -> None:
    probe = PROBES[name]
    first = next(probe.converse(Peer(host="192.0.2.1", port=probe.ports[0], transport=probe.transport)))
    assert isinstance(first, Send | Receive), f"{name} must start with Send or Receive: the driver has connected"


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_has_its_transcripts(name: str) -> None:
    have = {path.stem for path in transcripts(name)}
    missing = [case for case in NEEDED if case not in have]
    assert not missing, (
        f"record fixtures/talk/{name}/{missing[0]}.json: what a real server says ('yes'), what another service "
        "says ('not-this'), and a reply that ends in the middle ('cut'). tests/record.py writes them"
    )


def test_each_transcript_names_its_source_and_its_probe() -> None:
    for path in transcripts():
        transcript = load(path)
        assert transcript.probe == path.parent.name, f"{path.name}: `probe` is the name of the folder"
        assert transcript.source.startswith(("recorded from ", "written from ", "written by hand: ")), (
            f"{path.name}: say in `source` what it was recorded from, or what it was written from"
        )


def test_no_transcript_is_an_orphan() -> None:
    folders = {path.name for path in TALK.iterdir()}
    assert folders == set(PROBES), "a folder of fixtures/talk/ is called like a probe of the catalog"
