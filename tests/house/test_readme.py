"""README says what the program does: its help text and its exit codes are compared with the program."""

import re
from pathlib import Path

import pytest

from exposure_audit.cli import exits
from exposure_audit.cli.app import app
from exposure_audit.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def root_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    app(["--help"], prog_name="exposure-audit", standalone_mode=False)
    return capsys.readouterr().out


def test_the_quick_help_is_the_help(root_help: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert said == root_help, "write the new text: make help-text"


def test_readme_shows_the_help(root_help: str) -> None:
    assert f"```\n{root_help}```" in README, "README.md shows another help text than the program"


def test_readme_shows_the_exit_codes() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", README, re.MULTILINE))
    assert {int(code): text for code, text in rows.items()} == exits.MEANING


def test_every_command_of_the_help_is_a_command(root_help: str, capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^  ([a-z]+)  ", root_help.partition("Commands:")[2], re.MULTILINE)
    assert len(commands) >= 12
    for command in commands:
        assert main([command, "--help"]) == 0
        assert f"exposure-audit {command}" in capsys.readouterr().out


def test_readme_begins_with_the_two_commands() -> None:
    first = README.index("make demo")
    assert first < README.index("make test") < 1500
