"""Interrupted and killed in the middle: what is on disk is whole, and the next run goes on."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hostile_aws import ACCOUNT, Asked, HostileAws, Reply, calm, serve

from exposure_audit.collect.aws.run import collect_aws
from exposure_audit.collect.read import read_inventory


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileAws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with serve() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


SCRIPT = """
import sys
from pathlib import Path
from exposure_audit.collect.aws.run import collect_aws
collect_aws(Path(sys.argv[1]), regions=("us-east-1",), clock=lambda: "2026-01-01T00:00:00Z")
"""


def _stop_in_the_middle(aws: HostileAws, folder: Path, how: signal.Signals) -> bytes:
    """Run until the databases are asked for, then send a signal; return what was said on standard error."""
    reached = threading.Event()

    def decide(asked: Asked) -> Reply:
        if asked.action == "DescribeDBInstances":
            reached.set()
            return None
        return calm(asked)

    aws.decide = decide
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], stderr=subprocess.PIPE)
    try:
        assert reached.wait(20)
        process.send_signal(how)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    aws.decide = calm
    aws.asked.clear()
    return errors


def _finish(folder: Path) -> None:
    rows = collect_aws(folder, regions=("us-east-1",), clock=lambda: "2026-01-01T00:00:00Z")
    assert [row for row in rows if row.status != "ok"] == []


def test_an_interruption_keeps_whole_files_and_a_manifest(aws: HostileAws, tmp_path: Path) -> None:
    errors = _stop_in_the_middle(aws, tmp_path, signal.SIGINT)
    assert b"KeyboardInterrupt" in errors
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["finished_at"] == ""
    rows = {row["call"]: row for row in manifest["coverage"] if row["status"] != "ok"}
    assert rows["rds.describe_db_instances"]["status"] == "skipped"
    assert rows["rds.describe_db_instances"]["yields"] == ["asset", "door"]
    gaps = {row.call for row in read_inventory(tmp_path).coverage if row.status != "ok"}
    assert "rds.describe_db_instances" in gaps


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_next_run_goes_on_and_ends_as_an_undisturbed_one(
    aws: HostileAws, tmp_path: Path, how: signal.Signals
) -> None:
    _stop_in_the_middle(aws, tmp_path / "torn", how)
    kept = [*(tmp_path / "torn" / "aws" / ACCOUNT / "us-east-1").glob("ec2.*.json")]
    assert kept
    _finish(tmp_path / "torn")
    assert aws.count("DescribeDBInstances") == 1
    assert len(aws.asked) < 10
    _finish(tmp_path / "calm")
    torn, calm_one = read_inventory(tmp_path / "torn"), read_inventory(tmp_path / "calm")
    assert msgspec.json.encode(torn) == msgspec.json.encode(calm_one)
    files = {path.relative_to(tmp_path / "calm") for path in (tmp_path / "calm").rglob("*")}
    assert {path.relative_to(tmp_path / "torn") for path in (tmp_path / "torn").rglob("*")} == files
