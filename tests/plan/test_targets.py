"""What a person may write in a targets file, and what is refused with file, line and mend."""

import pytest

from exposure_audit.errors import InputFileError
from exposure_audit.plan.targets import Target, parse_target, parse_targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", Target(block="192.0.2.7/32")),
        ("192.0.2.7:6379", Target(block="192.0.2.7/32", port=6379, transport="tcp")),
        ("192.0.2.7:123/udp", Target(block="192.0.2.7/32", port=123, transport="udp")),
        ("192.0.2.8/30", Target(block="192.0.2.8/30")),
        ("192.0.2.9/30", Target(block="192.0.2.8/30")),
        ("192.0.2.0/30:8123", Target(block="192.0.2.0/30", port=8123, transport="tcp")),
        ("2001:db8::1", Target(block="2001:db8::1/128")),
        ("2001:db8::/126", Target(block="2001:db8::/126")),
        ("[2001:db8::1]:9000", Target(block="2001:db8::1/128", port=9000, transport="tcp")),
        ("[2001:db8::1]:123/udp", Target(block="2001:db8::1/128", port=123, transport="udp")),
        ("DB.example.com.", Target(name="db.example.com")),
        ("db.example.com:443/tcp", Target(name="db.example.com", port=443, transport="tcp")),
        ("localhost:8123", Target(name="localhost", port=8123, transport="tcp")),
    ],
)
def test_a_target_line(text: str, expected: Target) -> None:
    assert parse_target(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.2.300", "not an address"),
        ("192.0.2", "not an address"),
        ("192.0.2.0/33", "prefix length"),
        ("192.0.2.7:0", "port out of range"),
        ("192.0.2.7:65536", "port out of range"),
        ("192.0.2.7:53/upd", "did you mean udp?"),
        ("192.0.2.7:", "no sense"),
        ("two words", "no sense"),
        ("-bad-.example.com", "not a host name"),
        ("10.0.0.0/8", "more than 65536"),
        ("2001:db8::/32", "more than 65536"),
        ("[2001:db8::1", "no sense"),
        ("http://example.com/", "no sense"),
    ],
)
def test_nonsense_is_refused_with_the_place_and_the_mend(text: str, said: str) -> None:
    with pytest.raises(InputFileError) as caught:
        parse_targets(f"# ours\n\n{text}\n", where="hosts.txt")
    assert said in str(caught.value)
    assert str(caught.value).startswith("hosts.txt:3: ")
    assert caught.value.mend


def test_comments_blank_lines_and_repeats_are_dropped() -> None:
    text = "192.0.2.1:80 # front\n\n# all\n192.0.2.1:80\n"
    assert parse_targets(text, where="x") == (Target(block="192.0.2.1/32", port=80, transport="tcp"),)


def test_a_file_without_a_target_is_a_mistake() -> None:
    with pytest.raises(InputFileError, match="names no target"):
        parse_targets("# nothing\n", where="hosts.txt")


def test_a_block_names_all_its_addresses() -> None:
    assert parse_target("192.0.2.8/30").addresses() == ("192.0.2.8", "192.0.2.9", "192.0.2.10", "192.0.2.11")
