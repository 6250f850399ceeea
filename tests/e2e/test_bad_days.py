"""Refused, throttled, silent and unknown: the run goes on, says what stayed unknown, and ends with exit code 3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_aws import Asked, HostileAws, Reply, calm, ec2_error, query_error, serve
from program import run


@pytest.fixture
def aws() -> Iterator[HostileAws]:
    with serve() as hostile:
        yield hostile


def scan(aws: HostileAws, where: Path, *words: str) -> tuple[int, str, Any]:
    """Scan the hostile account; return exit code, standard error and the report."""
    env = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = run("scan", "--loopback-only", *words, "--format", "json=r.json", cwd=where, env=env)
    assert "Traceback" not in done.stderr, done.stderr
    path = where / "r.json"
    return done.returncode, done.stderr + done.stdout, json.loads(path.read_text()) if path.exists() else None


def gaps(report: Any) -> dict[tuple[str, str], str]:
    """(region, call) -> status of every row that is not ok."""
    return {
        (row["region"], row["call"]): row["status"]
        for row in report["coverage"]
        if row["status"] != "ok" and row["yields"]
    }


def test_an_empty_account_that_answers_passes(aws: HostileAws, tmp_path: Path) -> None:
    code, _, report = scan(aws, tmp_path, "--region", "us-east-1")
    assert (code, gaps(report)) == (0, {})
    assert report["gate"]["complete"]


def test_a_denied_call_is_said_and_everything_else_reported(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        return ec2_error("UnauthorizedOperation", 403) if asked.action == "DescribeNetworkAcls" else calm(asked)

    aws.decide = decide
    code, said, report = scan(aws, tmp_path, "--region", "us-east-1", "--region", "eu-west-1")
    assert code == 3
    assert set(gaps(report).values()) == {"denied"}
    assert {region for region, _ in gaps(report)} == {"us-east-1", "eu-west-1"}
    assert "describe_network_acls" in said
    inventory = next(item for item in report["checklist"] if item["id"] == "inventory-complete")
    assert inventory["status"] in {"fail", "unknown"}


def test_rejected_credentials_end_incomplete_and_not_in_a_crash(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda _: query_error("InvalidClientTokenId", 403)
    code, said, report = scan(aws, tmp_path, "--region", "us-east-1")
    assert code == 3
    assert report["gate"]["complete"] is False
    assert "credentials" in said


def test_an_unknown_region_is_said_and_the_known_one_looked_at(aws: HostileAws, tmp_path: Path) -> None:
    code, said, report = scan(aws, tmp_path, "--region", "us-eest-1", "--region", "us-east-1")
    assert code == 3
    assert gaps(report) == {("us-eest-1", "ec2.describe_regions"): "failed"}
    assert "us-eest-1" in said


def test_a_region_that_throttles_for_ever_costs_only_itself(aws: HostileAws, tmp_path: Path) -> None:
    def decide(asked: Asked) -> Reply:
        throttled = asked.region == "eu-west-1" and asked.action == "DescribeSubnets"
        return ec2_error("RequestLimitExceeded", 503) if throttled else calm(asked)

    aws.decide = decide
    code, _, report = scan(aws, tmp_path, "--region", "us-east-1", "--region", "eu-west-1")
    assert code == 3
    assert gaps(report) == {("eu-west-1", "ec2.describe_subnets"): "throttled"}


def test_a_region_that_hangs_is_given_up_and_the_other_reported(aws: HostileAws, tmp_path: Path) -> None:
    """Two services are waited for; the other calls of the region are not even tried."""
    aws.decide = lambda asked: None if asked.region == "eu-west-1" else calm(asked)
    code, said, report = scan(aws, tmp_path, "--region", "us-east-1", "--region", "eu-west-1", "--api-timeout", "2")
    assert code == 3
    assert {region for region, _ in gaps(report)} == {"eu-west-1"}
    assert "eu-west-1" in said
    assert len([row for row in report["coverage"] if row["region"] == "us-east-1" and row["status"] == "ok"]) > 15


def test_allow_incomplete_says_so_and_passes(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda asked: (
        ec2_error("UnauthorizedOperation", 403) if asked.action == "DescribeVpcs" else calm(asked)
    )
    code, _, report = scan(aws, tmp_path, "--region", "us-east-1", "--allow-incomplete")
    assert code == 0
    assert report["gate"]["complete"] is False


def test_doctor_names_the_permission_and_what_is_unknown_without_it(aws: HostileAws, tmp_path: Path) -> None:
    aws.decide = lambda asked: (
        ec2_error("UnauthorizedOperation", 403) if asked.action == "DescribeRouteTables" else calm(asked)
    )
    env = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = run("doctor", "--region", "us-east-1", cwd=tmp_path, env=env)
    assert done.returncode == 3
    assert "ec2:DescribeRouteTables" in done.stdout
    assert "route" in done.stdout
    policy = run("policy", "--cloud", "aws", cwd=tmp_path)
    assert "ec2:DescribeRouteTables" in str(json.loads(policy.stdout)["Statement"])
