"""Where reports go: files whole or absent, standard output, terminals of every kind, readers who hang up."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exposure_audit.errors import UsageError
from exposure_audit.model import wire
from exposure_audit.model.report import Report
from exposure_audit.report.write import check_formats, write


def test_every_format_lands_in_its_file_readable_by_its_owner_alone(scenario: Report, tmp_path: Path) -> None:
    names = ["html", "json", "markdown", "terminal"]
    write(scenario, [(name, str(tmp_path / "new" / name)) for name in names])
    for name in names:
        path = tmp_path / "new" / name
        assert path.stat().st_size > 1000
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    assert wire.read(tmp_path / "new/json", Report) == scenario


def test_a_dash_is_standard_output_and_nothing_else_is_printed(
    scenario: Report, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    write(scenario, [("json", "-"), ("markdown", str(tmp_path / "out.md"))])
    out, err = capfdbinary.readouterr()
    assert wire.decode(out, Report, where="stdout") == scenario
    assert err == b""
    assert (tmp_path / "out.md").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jsn", "unknown format 'jsn' (did you mean json?)"),
        ("Markdwn", "did you mean markdown?"),
        ("pdf", "one of html (one file to read and to send on), json (the whole report for programs), markdown ("),
        ("", "one of html"),
    ],
)
def test_an_unknown_format_gets_advice(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_formats([(name, "-")])
    assert said in str(caught.value)


def test_hopeless_paths_are_found_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, said in [
        (tmp_path, f"is a folder (name a file: --format json={tmp_path}/report.json)"),
        (tmp_path / "file" / "report.json", "is no folder"),
    ]:
        with pytest.raises(UsageError) as caught:
            check_formats([("json", str(path))])
        assert said in str(caught.value)
    check_formats([("json", str(tmp_path / "not/yet/there.json")), ("html", "-")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="permission denied"):
        check_formats([("json", str(tmp_path / "r.json"))])


def test_two_formats_in_one_file_are_refused() -> None:
    with pytest.raises(UsageError, match="two formats go to x"):
        check_formats([("json", "x"), ("html", "x")])
    with pytest.raises(UsageError, match="two formats go to standard output"):
        check_formats([("json", "-"), ("html", "-")])


def test_a_failed_write_is_one_line_and_leaves_the_old_file(scenario: Report, tmp_path: Path) -> None:
    path = Path("/dev/full/report.json")
    with pytest.raises(UsageError):
        write(scenario, [("json", str(path))])
    with pytest.raises(UsageError, match="cannot be written"):
        write(scenario, [("json", str(tmp_path / ("n" * 300)))])
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import sys
from pathlib import Path
from exposure_audit.model import wire
from exposure_audit.model.report import Report
from exposure_audit.report.write import write
report = wire.read(Path(sys.argv[1]), Report)
if sys.argv[2] == "show":
    write(report, [], screen=sys.stdout)
else:
    write(report, [(sys.argv[2], "-")])
sys.stderr.write("went on")
"""


def run(fixtures: Path, what: str, *, which: str = "report", **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(fixtures / f"scenario/{which}.json"), what],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("what", ["show", "json", "html"])
def test_a_reader_who_hangs_up_does_not_end_the_run(fixtures: Path, what: str) -> None:
    with run(fixtures, what) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b"went on"
    assert process.returncode == 0


def test_an_ascii_pipe_gets_ascii_signs_and_escapes(fixtures: Path) -> None:
    with run(fixtures, "show", which="hostile", PYTHONIOENCODING="ascii", PYTHONUTF8="0", COLUMNS="80") as process:
        out, err = process.communicate()
    assert err == b"went on"
    text = out.decode("ascii")
    assert " x FAILED " in text
    assert "-> security group" in text.replace("\n", " ").replace("  ", " ")


def test_a_pipe_gets_plain_text_of_80_columns(fixtures: Path) -> None:
    with run(fixtures, "show", TERM="xterm-256color", COLUMNS="") as process:
        out, _ = process.communicate()
    assert b"\x1b" not in out
    assert max(map(len, out.decode().split("\n"))) <= 80


def test_data_on_standard_output_is_utf_8_whatever_the_locale(fixtures: Path) -> None:
    with run(fixtures, "markdown", PYTHONIOENCODING="ascii", PYTHONUTF8="0") as process:
        out, err = process.communicate()
    assert err == b"went on"
    assert "→" in out.decode("utf-8")


def test_the_screen_may_be_any_text_stream(scenario: Report) -> None:
    stream = io.StringIO()
    write(scenario, [], screen=stream)
    assert "WHAT IS EXPOSED" in stream.getvalue()
