"""The wheel carries the rules, the templates and everything else that an installed program needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it as pip does, without asking any index."""
    out, site = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True
    )
    (wheel,) = out.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*pip, str(wheel)], check=True)
    return site


def run(site: Path, where: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ["PYTHONPATH"]])}
    return subprocess.run(
        [sys.executable, "-m", "exposure_audit", *words],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_installed_wheel_works_from_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "-h")
    assert where.returncode == 0, where.stderr
    listed = run(installed, tmp_path, "rules", "list")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) >= 20
    assert list((installed / "exposure_audit/_rules").rglob("*.yaml"))


def test_an_installed_wheel_judges_and_prints_every_format(installed: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    target = snapshot / "aws/111111111111/eu-west-1"
    target.mkdir(parents=True)
    (target / "ec2.describe_instances.json").write_text('{"Reservations": []}')
    formats = [
        part for name in ("json", "markdown", "html") for part in ("--format", f"{name}={tmp_path}/r.{name}")
    ]
    done = run(installed, tmp_path, "scan", "--snapshot", str(snapshot), "--no-probe", *formats)
    assert done.returncode == 3, done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["scan"]["complete"] is False
    assert (tmp_path / "r.html").read_text().lower().startswith("<!doctype html>")
