"""`--help` is asked for in pipelines and in stressful hours: it loads no SDK and hardly anything else."""

import subprocess
import sys

import pytest

HEAVY = {
    "aliyunsdkcore",
    "asyncio",
    "boto3",
    "botocore",
    "clickhouse_connect",
    "jinja2",
    "moto",
    "nmap",
    "numpy",
    "pydantic",
    "requests",
    "rich",
    "ssl",
    "yaml",
}
SHOW = """
import sys
from exposure_audit.cli.main import main
code = main({words!r})
sys.stderr.write("\\n".join(sys.modules))
sys.exit(code)
"""


def loaded(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(words=list(words))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_root_help_and_version_load_nothing_but_python(words: list[str]) -> None:
    modules = loaded(*words)
    assert not HEAVY & modules
    assert not {"typer", "msgspec", "json", "pathlib"} & modules
    ours = {name for name in modules if name.startswith("exposure_audit")}
    assert ours == {"exposure_audit", "exposure_audit.cli", "exposure_audit.cli.main"}


@pytest.mark.parametrize("command", ["scan", "probe", "report", "lab", "policy", "rules"])
def test_help_of_a_command_loads_no_sdk(command: str) -> None:
    modules = loaded(command, "--help")
    assert not HEAVY & modules
    assert "typer" in modules, "the test looks at the wrong thing"
