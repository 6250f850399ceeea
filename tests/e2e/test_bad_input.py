"""A user's mistake gets one line that says what, where and how to mend it, exit code 2, and never a traceback."""

from pathlib import Path

import pytest
from program import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scam"], "No such command 'scam'"),
        (["scan", "--fail-no", "high"], "--fail-on"),
        (["scan", "--fail-on", "severe"], "one of critical, high, medium, low, never"),
        (["scan", "--provider", "gcp"], "unknown provider 'gcp'"),
        (["scan", "--snapshot", "nowhere"], "nowhere: no such folder"),
        (["scan", "--targets", "nowhere.txt"], "nowhere.txt: cannot be read"),
        (["scan", "--targets", "bad.txt"], "bad.txt:2: makes no sense as a target"),
        (["scan", "--targets", "good.txt", "--format", "jsn=x"], "json"),
        (["scan", "--targets", "good.txt", "--format", "json=good.txt/r.json"], "good.txt: is no folder"),
        (["scan", "--targets", "good.txt", "--format", "json", "--format", "markdown"], "only one format"),
        (["scan", "--targets", "good.txt", "--rules", "rules"], "sevrity"),
        (["scan", "--targets", "good.txt", "--timeout", "0"], "--timeout: must be more than 0"),
        (["scan", "--targets", "good.txt", "--discover", "masscan"], "--discover: unknown discoverer"),
        (["plan"], "nothing to plan"),
        (["probe"], "nothing to ask"),
        (["probe", "127.0.0.1:99999"], "port out of range"),
        (["probe", "--plan", "half.json", "--snapshot", "snapshot"], "half.json: not a valid ProbePlan"),
        (["report", "--from", "half.json"], "half.json: not a valid Report"),
        (["explain", "ea1:000", "--from", "nowhere"], "no such run"),
        (["policy", "--cloud", "gcp"], "unknown cloud 'gcp'"),
        (["rules", "show", "redis-unauthenticatd"], "redis-unauthenticated"),
        (["probes", "show", "rediss"], "did you mean redis?"),
        (["judge"], "nothing to judge"),
    ],
)
def test_one_line_and_exit_code_2(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "good.txt").write_text("127.0.0.1:1\n")
    (tmp_path / "bad.txt").write_text("127.0.0.1:1\nwhat is this\n")
    (tmp_path / "half.json").write_text('{"schema_version": "1", "tasks": [')
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "rules" / "mine").mkdir(parents=True)
    (tmp_path / "rules/mine/open-thing.yaml").write_text("id: open-thing\nsevrity: high\n")
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert not list((tmp_path / ".exposure-audit").glob("runs/*")), "a run was left behind that never began"


def test_an_unknown_field_of_a_rule_names_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "mine"
    folder.mkdir(parents=True)
    (folder / "open-thing.yaml").write_text("id: open-thing\nsevrity: high\n")
    done = run("rules", "check", "--rules", "rules", cwd=tmp_path)
    assert done.returncode == 2
    assert "open-thing.yaml:2" in done.stdout + done.stderr


def test_no_credentials_at_all_is_a_mistake_with_a_mend(tmp_path: Path) -> None:
    done = run("scan", cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "credentials" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_snapshot_file_cut_in_half_is_unknown_not_safe(tmp_path: Path) -> None:
    place = tmp_path / "snapshot/aws/111111111111/eu-west-1"
    place.mkdir(parents=True)
    (place / "ec2.describe_security_groups.json").write_text('{"SecurityGroups": [{"GroupId": "sg-1", ')
    (place / "ec2.describe_instances.json").write_text('{"Reservations": []}')
    done = run("scan", "--snapshot", "snapshot", "--no-probe", "--format", "json=r.json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "describe_security_groups" in (tmp_path / "r.json").read_text()
    allowed = run("scan", "--snapshot", "snapshot", "--no-probe", "--allow-incomplete", cwd=tmp_path)
    assert allowed.returncode == 0
