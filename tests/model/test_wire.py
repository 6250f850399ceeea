"""Nouns go to JSON and come back; files are whole or absent."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.errors import InputFileError
from exposure_audit.model import wire
from exposure_audit.model.addresses import AddressSet, normalise
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Coverage, Filter, Inventory, Rule

texts = st.text(max_size=20)
cidrs = st.lists(st.sampled_from(("0.0.0.0/0", "203.0.113.0/24", "2001:db8::/32")), max_size=2).map(tuple)
rules = st.builds(
    Rule, native_id=texts, protocol=st.none() | st.integers(0, 255), cidrs=cidrs, text=texts, allow=st.booleans()
)
filters = st.builds(
    Filter,
    id=texts,
    kind=st.just("security-group"),
    native_id=texts,
    semantics=st.sampled_from(("union-of-allows", "first-match", "priority-drop-first")),
    stateful=st.booleans(),
    ingress=st.lists(rules, max_size=3).map(tuple),
)
inventories = st.builds(Inventory, filters=st.lists(filters, max_size=3).map(tuple))
exposures = st.builds(
    Exposure,
    id=texts,
    asset=texts,
    native_id=texts,
    address=texts,
    family=st.sampled_from(("ipv4", "ipv6")),
    transport=st.sampled_from(("tcp", "udp", "icmp", "47")),
    port_from=st.none() | st.integers(0, 65535),
    port_to=st.none() | st.integers(0, 65535),
    sources=cidrs,
    sources_except=st.none() | cidrs,
    breadth=st.sampled_from(("internet", "wide", "narrow")),
    target_port=st.none() | st.integers(0, 65535),
    path=st.lists(st.builds(Hop, gate=texts, native_id=texts, text=texts), max_size=2).map(tuple),
)


@given(inventories, st.sampled_from((0, 2)))
def test_an_inventory_goes_round(inventory: Inventory, indent: int) -> None:
    data = wire.encode(inventory, indent=indent)
    assert data.endswith(b"\n")
    assert wire.decode(data, Inventory, where="test") == inventory


@given(exposures)
def test_an_exposure_goes_round(exposure: Exposure) -> None:
    assert wire.decode(wire.encode(exposure), Exposure, where="test") == exposure


big = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(big, max_size=3))
def test_an_address_set_goes_round(items: list[tuple[int, int]]) -> None:
    held = AddressSet(ipv4=normalise(items))
    assert wire.decode(wire.encode(held), AddressSet, where="test") == held


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a valid Coverage"),
        (b"{", "not a valid Coverage"),
        (b"[]", "Expected `object`"),
        (b'{"provider": "aws"}', "account"),
        (b'{"provider":"aws","account":"1","region":"r","call":"c","status":"fine"}', "$.status"),
        (b"\xff\xfe", "not a valid Coverage"),
    ],
)
def test_what_is_not_the_noun_is_refused_with_its_place(data: bytes, told: str) -> None:
    with pytest.raises(InputFileError) as caught:
        wire.decode(data, Coverage, where="2-inventory.json")
    assert told in str(caught.value)
    assert caught.value.where == "2-inventory.json"


def test_a_file_cut_in_half_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    whole = wire.encode(Inventory(filters=()))
    path = tmp_path / "2-inventory.json"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match="not a valid Inventory"):
        wire.read(path, Inventory)
    with pytest.raises(InputFileError, match="cannot be read"):
        wire.read(tmp_path / "absent.json", Inventory)


def test_a_written_file_is_whole_private_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "3-exposures.json"
    wire.write_atomic(path, b"first\n")
    wire.write_atomic(path, b"second\n")
    assert path.read_bytes() == b"second\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.mkdir()  # A folder in the way: the last rename is refused.
    (path / "kept").write_text("kept")
    with pytest.raises(OSError, match="directory"):
        wire.write_atomic(path, b"new\n")
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "kept").read_text() == "kept"
