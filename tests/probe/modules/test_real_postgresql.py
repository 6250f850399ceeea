"""The probes of ClickHouse's foreign tongues leave a real PostgreSQL alone, whether it trusts anyone or not."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asking import observe
from servers import loopback, unavailable
from talk import talk

from exposure_audit.lab.servers._process import program
from exposure_audit.probe.catalog import PROBES

PORT = 9005


@contextmanager
def postgresql(address: str, method: str) -> Iterator[None]:
    initdb, postgres = program("initdb"), program("postgres")
    if not initdb or not postgres:
        unavailable("postgresql: no initdb and postgres")
    assert initdb
    assert postgres
    # It refuses to run as root, and another user may not enter the folders of pytest.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="exposure-audit-postgresql-"))
    if user:
        shutil.chown(folder, user)
    try:
        with _running((initdb, postgres), folder, user, address, method):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    programs: tuple[str, str], folder: Path, user: str | None, address: str, method: str
) -> Iterator[None]:
    initdb, postgres = programs
    data = folder / "data"
    (folder / "password").write_text("of-the-lab\n")
    (folder / "password").chmod(0o644)
    made = subprocess.run(
        [initdb, "-D", str(data), "-U", "default", "-A", method, f"--pwfile={folder / 'password'}", "--no-sync"],
        user=user, cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr.decode()
    settings = ["-h", address, "-p", str(PORT), "-k", "", "-c", "shared_buffers=16MB", "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [postgres, "-D", str(data), *settings], user=user, cwd=folder, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 30
        while b"ready to accept" not in (folder / "log").read_bytes():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.xdist_group("postgresql")
@pytest.mark.parametrize("method", ["trust", "scram-sha-256", "password"])
def test_a_real_postgresql_is_not_clickhouse(method: str) -> None:
    address = loopback(51)
    with postgresql(address, method):
        ending, _ = talk(PROBES["clickhouse-postgresql"], address, PORT)
        assert ending.not_this, ending
        seen = observe(address, PORT)
    assert seen.verdict == "unidentified"
