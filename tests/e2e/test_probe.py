"""`probe` without any inventory: targets in, verdicts out, for people and for programs."""

import json
from pathlib import Path

import pytest
from program import redis_with_password, redis_without_password, run, server


def test_a_target_is_asked_and_shown(tmp_path: Path) -> None:
    with server("127.61.0.1", redis_without_password) as port:
        done = run("probe", f"127.61.0.1:{port}", "--loopback-only", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[1]
    assert line.startswith("unauthenticated")
    assert "Redis 7.0.15" in line


def test_json_lines_on_standard_output_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "hosts.txt").write_text("127.61.0.2:1 # nobody\n")
    with server("127.61.0.2", redis_with_password) as port:
        words = ["probe", f"127.61.0.2:{port}", "--targets", "hosts.txt", "--loopback-only", "-o", "-"]
        done = run(*words, cwd=tmp_path)
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(one["port"], one["verdict"]) for one in seen} == {(1, "closed"), (port, "auth-required")}


def test_loopback_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    with server("127.61.0.3", redis_without_password) as port:
        refused = run("probe", f"127.61.0.3:{port}", cwd=tmp_path)
        allowed = run("probe", f"127.61.0.3:{port}", "--allow-loopback", cwd=tmp_path)
    assert (refused.returncode, allowed.returncode) == (3, 0)
    assert "scope guard" in refused.stdout
    assert "unauthenticated" in allowed.stdout


@pytest.mark.parametrize("target", ["192.0.2.1:6379", "169.254.169.254:80", "[2001:db8::1]:6379"])
def test_loopback_only_means_no_packet_anywhere_else(tmp_path: Path, target: str) -> None:
    """The guard under the tests would turn a packet into an error of another kind."""
    done = run("probe", target, "--loopback-only", "-o", "-", cwd=tmp_path)
    assert done.returncode == 3
    (seen,) = map(json.loads, done.stdout.splitlines())
    assert seen["verdict"] == "error"
    assert "scope guard" in seen["reason"]


def test_terminal_escapes_of_a_server_do_not_reach_the_terminal(tmp_path: Path) -> None:
    hostile = b"\x1b]0;owned\x07\x1b[2J::error::gotcha\r\n"
    with server("127.61.0.4", lambda visitor: visitor.sendall(hostile)) as port:
        table = run("probe", f"127.61.0.4:{port}", "--loopback-only", cwd=tmp_path)
        data = run("probe", f"127.61.0.4:{port}", "--loopback-only", "-o", "-", cwd=tmp_path)
        scan = run("scan", "--targets", "-", "--loopback-only", cwd=tmp_path, stdin=f"127.61.0.4:{port}\n")
    for said in (table.stdout, table.stderr, data.stdout, scan.stdout, scan.stderr):
        assert "\x1b" not in said
        assert "\n::error::" not in said
    assert "unidentified" in table.stdout


def verdicts(path: Path) -> list[str]:
    return sorted(json.loads(line)["verdict"] for line in path.read_text().splitlines())


def test_an_interrupted_probe_is_gone_on_with(tmp_path: Path) -> None:
    out, partial = tmp_path / "o.jsonl", tmp_path / "o.jsonl.partial"
    with server("127.61.0.5", redis_with_password) as port:
        words = ["probe", f"127.61.0.5:{port}", "127.61.0.5:1", "--loopback-only", "-o", "o.jsonl"]
        first = run(*words, cwd=tmp_path)
        assert (first.returncode, verdicts(out), partial.exists()) == (0, ["auth-required", "closed"], False)
        # What `kill -9` leaves: one whole answer, told apart by its reason, and half of the next.
        lines = out.read_text().splitlines()
        closed = next(line for line in lines if '"closed"' in line)
        partial.write_text(closed.replace("connection refused", "kept from before") + "\n" + lines[0][:30])
        out.unlink()
        again = run(*words, cwd=tmp_path)
    assert (again.returncode, verdicts(out), partial.exists()) == (0, ["auth-required", "closed"], False)
    assert "kept from before" in out.read_text()


def test_a_finished_output_is_asked_anew_and_replaced(tmp_path: Path) -> None:
    """Yesterday's answers must not pass for today's."""
    with server("127.61.0.6", redis_without_password) as port:
        words = ["probe", f"127.61.0.6:{port}", "--loopback-only", "-o", "o.jsonl"]
        assert run(*words, cwd=tmp_path).returncode == 0
    assert verdicts(tmp_path / "o.jsonl") == ["unauthenticated"]
    assert run(*words, cwd=tmp_path).returncode == 0
    assert verdicts(tmp_path / "o.jsonl") == ["closed"]


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("probe", "127.61.0.7:1", "--loopback-only", "-o", "file/o.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr
