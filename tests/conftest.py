"""What every test runs under: loopback only, no metadata service, no credentials of the machine."""

import os
import runpy
from pathlib import Path

import pytest

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
