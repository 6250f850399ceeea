"""What every test runs under: loopback only, no metadata service, no credentials of the machine."""

import os
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from exposure_audit.model import wire
from exposure_audit.model.report import Report

GUARD = Path(__file__).parent / "guard"
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH", "")]))
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
for name in [name for name in os.environ if name.startswith(("AWS_", "ALIBABA_CLOUD_", "EXPOSURE_AUDIT_"))]:
    if name != "AWS_EC2_METADATA_DISABLED":
        del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

runpy.run_path(str(GUARD / "sitecustomize.py"))  # Installs the audit hook in this process too.


@pytest.fixture
def fixtures() -> Path:
    """The folder of recorded inputs."""
    return Path(__file__).parents[1] / "fixtures"


GOLDENS = Path(__file__).parent / "report/goldens"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="Write tests/report/goldens anew; then read the difference."
    )


@pytest.fixture
def scenario(fixtures: Path) -> Report:
    """A believable report of a shop with five open services."""
    return wire.read(fixtures / "scenario/report.json", Report)


@pytest.fixture
def hostile(fixtures: Path) -> Report:
    """The same estate, whose owner names things to hurt whoever reads the report."""
    return wire.read(fixtures / "scenario/hostile.json", Report)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Compare with a golden file, or write it when asked to."""
    update = bool(request.config.getoption("--update-goldens", default=False))

    def check(name: str, data: bytes) -> None:
        path = GOLDENS / name
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"no {name}: look at the output, then run pytest tests/report --update-goldens"
        # Lines, so that a difference can be read.
        assert data.decode().split("\n") == path.read_text(encoding="utf-8").split("\n"), name

    return check
