"""Snapshot folders as people and crashes leave them."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from exposure_audit.collect.contract import Place
from exposure_audit.collect.read import read_inventory
from exposure_audit.collect.snapshot import answer_path, clean, finished_at, write_manifest
from exposure_audit.errors import InputFileError
from exposure_audit.model.inventory import Coverage, CoverageStatus, Inventory

REGION = "aws/111122223333/us-east-1"


@pytest.fixture
def shop(tmp_path: Path, fixtures: Path) -> Path:
    folder = tmp_path / "shop"
    shutil.copytree(fixtures / "cloud/aws/web-shop", folder)
    entries = folder / REGION / "ec2.get_managed_prefix_list_entries.json"
    entries.write_text('{"pl-office": {"Entries": []}, "pl-s3": {"Entries": []}}')
    return folder


def _gaps(inventory: Inventory) -> dict[str, Coverage]:
    return {row.call: row for row in inventory.coverage if row.status != "ok"}


def _row(call: str, status: CoverageStatus, region: str = "us-east-1") -> Coverage:
    return Coverage(
        provider="aws", account="111122223333", region=region, call=call, status=status, yields=("filter",)
    )


def test_a_folder_without_manifest_is_whole(shop: Path) -> None:
    assert _gaps(read_inventory(shop)) == {}
    assert finished_at(shop) == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"SecurityGroups": [{"GroupId": "sg-1", "IpPerm', "truncated"),
        (b"", "truncated"),
        (b"\xff\xfe\x00", "utf-16"),
        (b"<html>", "malformed"),
        (b'{"Nothing": []}', "missing required field `SecurityGroups`"),
        (b'{"SecurityGroups": [{"GroupId": "sg-1", "IpPermissionsEgress": []}]}', "`IpPermissions`"),
        (b'{"SecurityGroups": "none"}', "Expected `array`"),
        (b'{"Extra": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_broken_file_is_a_gap_that_names_file_and_fault(shop: Path, content: bytes, why: str) -> None:
    (shop / REGION / "ec2.describe_security_groups.json").write_bytes(content)
    inventory = read_inventory(shop)
    gaps = _gaps(inventory)
    assert set(gaps) == {"ec2.describe_security_groups"}
    row = gaps["ec2.describe_security_groups"]
    assert (row.status, row.yields) == ("failed", ("filter",))
    assert f"{REGION}/ec2.describe_security_groups.json" in row.detail
    assert why.lower() in row.detail.lower()
    assert [one.kind for one in inventory.filters] == ["network-acl"]


@pytest.mark.parametrize(
    ("permission", "why"),
    [
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "0.0.0.0/33"}]}, "0.0.0.0/33"),
        ({"IpProtocol": "tcp", "FromPort": 9, "ToPort": 70000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "9-70000"),
        ({"IpProtocol": "tpc", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "unknown protocol 'tpc'"),
    ],
)
def test_a_rule_that_means_nothing_is_a_gap(shop: Path, permission: dict[str, object], why: str) -> None:
    group = {"GroupId": "sg-1", "IpPermissions": [permission], "IpPermissionsEgress": []}
    (shop / REGION / "ec2.describe_security_groups.json").write_text(json.dumps({"SecurityGroups": [group]}))
    inventory = read_inventory(shop)
    row = _gaps(inventory)["ec2.describe_security_groups"]
    assert row.status == "failed"
    assert why in row.detail
    # Without that rule the group would look shut: it is left out, and what refers to it becomes unknown.
    assert [one.native_id for one in inventory.filters if one.kind == "security-group"] == []


def test_an_acl_with_an_entry_that_means_nothing_is_left_out_whole(shop: Path) -> None:
    path = shop / REGION / "ec2.describe_network_acls.json"
    answer = json.loads(path.read_text())
    answer["NetworkAcls"][0]["Entries"].append(
        {"CidrBlock": "0.0.0.0/0", "Egress": False, "Protocol": "6", "RuleAction": "maybe", "RuleNumber": 7}
    )
    path.write_text(json.dumps(answer))
    inventory = read_inventory(shop)
    assert "unknown action 'maybe'" in _gaps(inventory)["ec2.describe_network_acls"].detail
    left = {one.native_id for one in inventory.filters if one.kind == "network-acl"}
    assert answer["NetworkAcls"][0]["NetworkAclId"] not in left


def test_a_delegated_prefix_is_an_address_of_its_own(shop: Path) -> None:
    path = shop / REGION / "ec2.describe_network_interfaces.json"
    answer = json.loads(path.read_text())
    answer["NetworkInterfaces"][0]["Ipv6Prefixes"] = [
        {"Ipv6Prefix": "2001:db8:0:1:2::/80"},
        {"Ipv6Prefix": "fd00:0:0:1:2::/80"},
    ]
    path.write_text(json.dumps(answer))
    native_id = answer["NetworkInterfaces"][0]["NetworkInterfaceId"]
    (found,) = [one for one in read_inventory(shop).interfaces if one.native_id == native_id]
    assert [one.address for one in found.addresses if "/" in one.address] == ["2001:db8:0:1:2::/80"]


def test_what_powershell_redirects_is_read(shop: Path) -> None:
    path = shop / REGION / "ec2.describe_vpcs.json"
    path.write_text(path.read_text(), encoding="utf-16")
    inventory = read_inventory(shop)
    assert _gaps(inventory) == {}
    assert [one.native_id for one in inventory.networks] == ["vpc-1"]


def test_a_needed_file_that_is_not_there_is_a_gap_an_optional_one_is_not(shop: Path) -> None:
    (shop / REGION / "ec2.describe_network_acls.json").unlink()
    (shop / REGION / "ec2.describe_security_group_rules.json").unlink()
    (shop / REGION / "ec2.describe_nat_gateways.json").unlink()
    inventory = read_inventory(shop)
    assert {call: (row.status, row.yields) for call, row in _gaps(inventory).items()} == {
        "ec2.describe_network_acls": ("skipped", ("filter",))
    }
    assert all(subnet.filters is None for subnet in inventory.subnets)
    web = next(one for one in inventory.filters if one.native_id == "sg-web")
    assert web.ingress[0].native_id == "sg-web tcp 80-443 from 0.0.0.0/1"


def test_without_load_balancers_nothing_is_asked_about_them(shop: Path) -> None:
    for path in (shop / REGION).glob("elbv2.*"):
        path.unlink()
    (shop / REGION / "elbv2.describe_load_balancers.json").write_text('{"LoadBalancers": []}')
    (shop / REGION / "elbv2.describe_target_groups.json").write_text('{"TargetGroups": []}')
    assert _gaps(read_inventory(shop)) == {}


def test_without_the_list_of_balancers_their_listeners_are_unknown(shop: Path) -> None:
    (shop / REGION / "elbv2.describe_load_balancers.json").unlink()
    gaps = _gaps(read_inventory(shop))
    assert set(gaps) == {
        "elbv2.describe_load_balancers",
        "elbv2.describe_listeners",
        "elbv2.describe_rules",
    }


def test_listeners_that_were_not_answered_are_unknown(shop: Path) -> None:
    (shop / REGION / "elbv2.describe_rules.json").write_text("{}")
    inventory = read_inventory(shop)
    assert set(_gaps(inventory)) == {"elbv2.describe_rules"}
    web = next(one for one in inventory.fronts if one.kind == "application")
    assert web.listeners
    assert [(one.targets, one.passes) for one in web.listeners] == [(None, True), (None, True)]


def test_instances_stand_in_for_interfaces_that_could_not_be_read(shop: Path) -> None:
    (shop / REGION / "ec2.describe_network_interfaces.json").write_text("{")
    inventory = read_inventory(shop)
    assert set(_gaps(inventory)) == {"ec2.describe_network_interfaces"}
    assert "describe_instances" in _gaps(inventory)["ec2.describe_network_interfaces"].detail
    (found,) = inventory.interfaces
    assert (found.asset, found.live) == ("aws:111122223333:us-east-1:instance/i-run", True)
    assert [one.address for one in found.addresses] == ["198.51.100.10"]


def test_the_manifest_speaks_for_what_has_no_file(shop: Path) -> None:
    (shop / REGION / "ec2.describe_vpcs.json").unlink()
    (shop / REGION / "ec2.describe_subnets.json").unlink()
    rows = [
        _row("ec2.describe_vpcs", "denied"),
        _row("ec2.describe_subnets", "ok"),
        _row("ec2.describe_vpcs", "failed", region="eu-west-1"),
    ]
    write_manifest(shop, "aws", rows, started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:01:00Z")
    found = [(r.region, r.call, r.status) for r in read_inventory(shop).coverage if r.status != "ok"]
    assert found == [
        ("eu-west-1", "ec2.describe_vpcs", "failed"),
        ("us-east-1", "ec2.describe_subnets", "failed"),
        ("us-east-1", "ec2.describe_vpcs", "denied"),
    ]
    assert finished_at(shop) == "2026-01-01T00:01:00Z"


def test_a_broken_manifest_is_a_gap_in_everything(shop: Path) -> None:
    (shop / "manifest.json").write_text('{"schema_version": "1", "cov')
    row = _gaps(read_inventory(shop))["manifest.json"]
    assert row.status == "failed"
    assert {"filter", "door", "interface"} <= set(row.yields)


def test_a_manifest_of_another_version_is_the_users_mistake(shop: Path) -> None:
    (shop / "manifest.json").write_text('{"schema_version": "2", "started_at": ""}')
    with pytest.raises(InputFileError, match="schema version '2'"):
        read_inventory(shop)


def test_an_empty_folder_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no snapshot"):
        read_inventory(tmp_path)


def test_reading_twice_gives_the_same_bytes(shop: Path) -> None:
    assert msgspec.json.encode(read_inventory(shop)) == msgspec.json.encode(read_inventory(shop))


def test_rows_of_another_provider_survive(tmp_path: Path) -> None:
    other = Coverage(provider="aliyun", account="1", region="cn-hangzhou", call="x", status="ok")
    write_manifest(tmp_path, "aliyun", [other], started_at="t0", finished_at="t1")
    write_manifest(tmp_path, "aws", [_row("x", "ok")], started_at="t2", finished_at="t3")
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert [row["provider"] for row in written["coverage"]] == ["aliyun", "aws"]
    assert (written["started_at"], written["finished_at"]) == ("t0", "t3")


def test_names_from_outside_lead_nowhere_else(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a name"):
        answer_path(tmp_path, Place("aws", "../../etc", "us-east-1"), "x.y")


def test_leftovers_of_a_killed_run_are_removed_and_never_read(shop: Path) -> None:
    torn = shop / REGION / ".ec2.describe_vpcs.json.k2j3"
    torn.write_text("{")
    assert _gaps(read_inventory(shop)) == {}
    clean(shop)
    assert not torn.exists()
