"""A run that was killed in the middle goes on, and its report equals that of an undisturbed one, times apart."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from program import redis_with_password, redis_without_password, report_of, run, server, start, stop, wait_for

ADDRESSES = [f"127.60.1.{number}" for number in range(1, 25)]
FLAGS = ("--loopback-only", "--in-flight", "3")


@pytest.fixture
def targets(tmp_path: Path) -> Iterator[Path]:
    """Two dozen slow servers, every second one locked, and a file that names them."""
    with ExitStack() as stack:
        lines = []
        for number, address in enumerate(ADDRESSES):
            talk = redis_with_password if number % 2 else redis_without_password
            lines.append(f"{address}:{stack.enter_context(server(address, talk))}")
        path = tmp_path / "hosts.txt"
        path.write_text("\n".join(lines))
        yield path


def observed(run_dir: Path) -> int:
    path = run_dir / "5-observations.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_run_stopped_in_the_middle_goes_on(tmp_path: Path, targets: Path, how: signal.Signals, code: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    undisturbed = run("scan", "--targets", str(targets), "--run-dir", str(whole), *FLAGS, cwd=tmp_path)
    assert undisturbed.returncode == 1, undisturbed.stderr

    process = start("scan", "--targets", str(targets), "--run-dir", str(broken), *FLAGS, cwd=tmp_path)
    wait_for(lambda: observed(broken) >= 4)
    assert stop(process, how) == code
    kept = observed(broken)
    assert 4 <= kept < len(ADDRESSES), "the run was not stopped in the middle"
    assert not (broken / "6-report.json").exists()
    if how == signal.SIGKILL:
        # What a crash leaves at the worst moment: half a line.
        with (broken / "5-observations.jsonl").open("ab") as file:
            file.write(b'{"address":"127.60.1.9","po')

    resumed = run("scan", "--resume", "--run-dir", str(broken), cwd=tmp_path)
    assert resumed.returncode == 1, resumed.stderr
    assert report_of(broken / "6-report.json") == report_of(whole / "6-report.json")


def test_nothing_to_resume_and_a_folder_in_use_are_said_in_one_line(tmp_path: Path, targets: Path) -> None:
    nothing = run("scan", "--resume", cwd=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.count("\n") == 1
    assert "no run to resume" in nothing.stderr

    process = start("scan", "--targets", str(targets), "--run-dir", "busy", *FLAGS, cwd=tmp_path)
    wait_for(lambda: observed(tmp_path / "busy") >= 1)
    second = run("scan", "--resume", "--run-dir", "busy", cwd=tmp_path)
    stop(process, signal.SIGKILL)
    assert second.returncode == 2
    assert "another process works on this run" in second.stderr

    again = run("scan", "--targets", str(targets), "--run-dir", "busy", *FLAGS, cwd=tmp_path)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
