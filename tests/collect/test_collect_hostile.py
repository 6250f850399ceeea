"""Bad days with real boto3 over HTTP: refusals, throttling, silence, garbage, interruptions."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_aws import ACCOUNT, Asked, HostileAws, Reply, calm, ec2, ec2_error, query, query_error, serve

from exposure_audit.collect.aws.ask import Patience
from exposure_audit.collect.aws.run import collect_aws
from exposure_audit.collect.policy import missing
from exposure_audit.collect.read import read_inventory
from exposure_audit.errors import UsageError
from exposure_audit.model.inventory import Coverage

PATIENT = 5.0
QUICK = Patience(throttled=4, transient=2, silent=1, pause=0.01, longest_pause=0.02)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileAws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with serve() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


def _collect(
    folder: Path, *regions: str, roles: tuple[str, ...] = (), timeout: float = PATIENT
) -> tuple[Coverage, ...]:
    return collect_aws(
        folder,
        regions=regions,
        roles=roles,
        clock=lambda: "2026-01-01T00:00:00Z",
        patience=QUICK,
        timeout=timeout,
    )


def _gaps(rows: tuple[Coverage, ...]) -> dict[tuple[str, str], str]:
    return {(row.region, row.call): row.status for row in rows if row.status != "ok"}


def test_regions_that_are_not_enabled_are_skipped_and_no_gap(aws: HostileAws, tmp_path: Path) -> None:
    rows = _collect(tmp_path)
    assert _gaps(rows) == {("ap-east-1", "ec2.describe_regions"): "skipped"}
    assert [row.yields for row in rows if row.status == "skipped"] == [()]
    assert {row.region for row in rows} == {"global", "us-east-1", "eu-west-1", "ap-east-1"}
    assert aws.count("DescribeVpcs", "eu-west-1") == 1
    assert read_inventory(tmp_path).coverage == rows


def test_a_disabled_region_that_was_asked_for_is_a_gap_in_everything(aws: HostileAws, tmp_path: Path) -> None:
    (row,) = [row for row in _collect(tmp_path, "ap-east-1") if row.status != "ok"]
    assert row.status == "skipped"
    assert "door" in row.yields
    assert "filter" in row.yields


def test_an_unknown_region_is_a_gap_and_the_others_are_looked_at(aws: HostileAws, tmp_path: Path) -> None:
    rows = _collect(tmp_path, "us-eest-1", "us-east-1")
    (row,) = [row for row in rows if row.status != "ok"]
    assert (row.region, row.status) == ("us-eest-1", "failed")
    assert row.detail == "AWS has no region 'us-eest-1': did you mean us-east-1?"
    assert {"interface", "door"} <= set(row.yields)
    assert any(one.region == "us-east-1" and one.status == "ok" for one in rows)


def test_denied_calls_name_their_permission_and_the_rest_goes_on(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        if asked.action == "DescribeNetworkAcls":
            return ec2_error("UnauthorizedOperation", 403)
        if asked.action == "DescribeDBInstances":
            return query_error("AccessDenied", 403)
        return calm(asked)

    aws.decide = decide
    rows = _collect(tmp_path, "us-east-1")
    assert _gaps(rows) == {
        ("us-east-1", "ec2.describe_network_acls"): "denied",
        ("us-east-1", "rds.describe_db_instances"): "denied",
    }
    assert aws.count("DescribeNetworkAcls") == 1
    lines = missing(rows)
    assert len(lines) == 2
    assert "ec2:DescribeNetworkAcls" in lines[0]
    assert "which traffic the firewalls let through" in lines[0]
    assert "rds:DescribeDBInstances" in lines[1]
    assert read_inventory(tmp_path).coverage == rows


def test_throttled_twice_then_answered(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        if asked.action == "DescribeVpcs" and aws.count("DescribeVpcs") <= 2:
            return ec2_error("RequestLimitExceeded", 503)
        return calm(asked)

    aws.decide = decide
    assert _gaps(_collect(tmp_path, "us-east-1")) == {}
    assert aws.count("DescribeVpcs") == 3


def test_throttled_for_ever_ends(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        return query_error("Throttling") if asked.action == "DescribeDBClusters" else calm(asked)

    aws.decide = decide
    assert _gaps(_collect(tmp_path, "us-east-1")) == {("us-east-1", "rds.describe_db_clusters"): "throttled"}
    assert aws.count("DescribeDBClusters") == QUICK.throttled


def test_a_region_that_hangs_costs_its_own_time_only(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        return None if asked.region == "eu-west-1" else calm(asked)

    aws.decide = decide
    started = time.monotonic()
    rows = _collect(tmp_path, "us-east-1", "eu-west-1", timeout=1)
    # One time-out each for two services; then the region is given up, and the other calls are not even tried.
    assert time.monotonic() - started < 10
    gaps = _gaps(rows)
    assert {region for region, _ in gaps} == {"eu-west-1"}
    assert set(gaps.values()) <= {"failed", "skipped"}
    assert len([row for row in rows if row.region == "eu-west-1"]) == len(gaps)
    assert 2 <= sum(one.region == "eu-west-1" for one in aws.asked) <= 3
    details = [row.detail for row in rows if row.region == "eu-west-1"]
    assert sum("timed out" in detail for detail in details) == 2
    assert any("nothing has answered here" in detail for detail in details)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((200, "<html>no"), "ResponseParserError"),
        ((200, "not xml at all"), "ResponseParserError"),
        ((200, "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1"), "ResponseParserError"),
        ((200, "<DescribeVpcsResponse/>"), "holds no Vpcs"),
        ((500, "<html><body>oops</body></html>"), "500"),
        (ec2_error("InternalError", 500), "InternalError"),
    ],
)
def test_garbage_is_a_gap(aws: HostileAws, tmp_path: Path, reply: Reply, why: str) -> None:
    aws.decide = lambda asked: reply if asked.action == "DescribeVpcs" else calm(asked)
    rows = _collect(tmp_path, "us-east-1")
    assert _gaps(rows) == {("us-east-1", "ec2.describe_vpcs"): "failed"}
    assert why in next(row.detail for row in rows if row.call == "ec2.describe_vpcs")
    assert not (tmp_path / "aws" / ACCOUNT / "us-east-1" / "ec2.describe_vpcs.json").exists()


def _vpc_pages(asked: Asked, last: Reply) -> Reply:
    if asked.action != "DescribeVpcs":
        return calm(asked)
    assert asked.form["MaxResults"] == "1000"
    page = int(asked.form.get("NextToken", "1"))
    item = f"<vpcSet><item><vpcId>vpc-{page}</vpcId></item></vpcSet>"
    return last if page == 3 else ec2(asked, f"{item}<nextToken>{page + 1}</nextToken>")


def test_pages_are_joined(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda asked: _vpc_pages(asked, ec2(asked, "<vpcSet><item><vpcId>vpc-3</vpcId></item></vpcSet>"))
    assert _gaps(_collect(tmp_path, "us-east-1")) == {}
    found = json.loads((tmp_path / "aws" / ACCOUNT / "us-east-1" / "ec2.describe_vpcs.json").read_text())
    assert found == {"Vpcs": [{"VpcId": "vpc-1"}, {"VpcId": "vpc-2"}, {"VpcId": "vpc-3"}]}


def test_half_an_answer_is_no_answer(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda asked: _vpc_pages(asked, ec2_error("UnauthorizedOperation", 403))
    assert _gaps(_collect(tmp_path, "us-east-1")) == {("us-east-1", "ec2.describe_vpcs"): "denied"}
    assert not (tmp_path / "aws" / ACCOUNT / "us-east-1" / "ec2.describe_vpcs.json").exists()


def test_pages_in_a_circle_end(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        return (
            ec2(asked, "<vpcSet/><nextToken>again</nextToken>") if asked.action == "DescribeVpcs" else calm(asked)
        )

    aws.decide = decide
    assert _gaps(_collect(tmp_path, "us-east-1")) == {("us-east-1", "ec2.describe_vpcs"): "failed"}


def _balancers(asked: Asked) -> Reply:
    if asked.action == "DescribeLoadBalancers" and asked.form["Version"] != "2012-06-01":
        member = (
            "<member><LoadBalancerArn>arn:{0}</LoadBalancerArn><LoadBalancerName>{0}</LoadBalancerName><Type>network"
            "</Type><State><Code>active</Code></State><AvailabilityZones/></member>"
        )
        return query(asked, f"<LoadBalancers>{member.format('a')}{member.format('b')}</LoadBalancers>")
    if asked.action == "DescribeListeners":
        return query(asked, "<Listeners/>")
    return calm(asked)


def test_one_resource_that_fails_does_not_lose_the_others_and_is_asked_again(
    aws: HostileAws, tmp_path: Path
) -> None:
    def decide(asked: Asked) -> Reply:
        if asked.action == "DescribeListeners" and asked.form["LoadBalancerArn"] == "arn:a":
            return query_error("LoadBalancerNotFound")
        return _balancers(asked)

    aws.decide = decide
    assert _gaps(_collect(tmp_path, "us-east-1")) == {("us-east-1", "elbv2.describe_listeners"): "failed"}
    path = tmp_path / "aws" / ACCOUNT / "us-east-1" / "elbv2.describe_listeners.json"
    assert json.loads(path.read_text()) == {"arn:b": {"Listeners": []}}
    fronts = {one.native_id: one.listeners for one in read_inventory(tmp_path).fronts}
    assert fronts == {"arn:a": None, "arn:b": ()}
    aws.decide = _balancers
    aws.asked.clear()
    assert _gaps(_collect(tmp_path, "us-east-1")) == {}
    assert [one.form["LoadBalancerArn"] for one in aws.asked if one.action == "DescribeListeners"] == ["arn:a"]


def test_whole_files_are_not_asked_for_again(aws: HostileAws, tmp_path: Path) -> None:
    _collect(tmp_path, "us-east-1")
    (tmp_path / "aws" / ACCOUNT / "us-east-1" / "ec2.describe_vpcs.json").write_text('{"Vpcs": [')
    aws.asked.clear()
    assert _gaps(_collect(tmp_path, "us-east-1")) == {}
    assert [one.action for one in aws.asked] == ["GetCallerIdentity", "DescribeVpcs"]


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"])
def test_rejected_credentials_are_a_row(aws: HostileAws, tmp_path: Path, code: str) -> None:
    aws.decide = lambda _: query_error(code, 403)
    (row,) = _collect(tmp_path)
    assert (row.account, row.call, row.status) == ("unknown", "sts.get_caller_identity", "denied")
    assert "interface" in row.yields
    assert read_inventory(tmp_path).coverage == (row,)
    assert len(aws.asked) == 1


def test_a_role_that_is_refused_does_not_stop_the_others(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        if asked.action != "AssumeRole":
            return calm(asked)
        assert asked.form["RoleSessionName"] == "exposure-audit"
        if "444455556666" in asked.form["RoleArn"]:
            return query_error("AccessDenied", 403)
        keys = "<AccessKeyId>AKIA2</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        return query(asked, f"<Credentials>{keys}<Expiration>2026-01-01T00:00:00Z</Expiration></Credentials>")

    aws.decide = decide
    roles = ("arn:aws:iam::444455556666:role/audit", f"arn:aws:iam::{ACCOUNT}:role/audit")
    rows = _collect(tmp_path, "us-east-1", roles=roles)
    assert _gaps(rows) == {("global", "sts.assume_role"): "denied"}
    assert {row.account for row in rows} == {"444455556666", ACCOUNT}


def test_what_is_no_role_is_the_users_mistake(aws: HostileAws, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the ARN of a role"):
        _collect(tmp_path, roles=("audit",))


def test_without_credentials_there_is_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(UsageError, match=r"no AWS credentials found.*--profile"):
        _collect(tmp_path)
    with pytest.raises(UsageError, match=r"nobody.*list-profiles"):
        collect_aws(tmp_path, profile="nobody", clock=lambda: "")
    assert list(tmp_path.iterdir()) == []


def test_an_account_number_that_is_a_path_writes_nothing(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda asked: query(asked, "<Account>../../x</Account>")
    (row,) = _collect(tmp_path)
    assert row.status == "failed"
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
