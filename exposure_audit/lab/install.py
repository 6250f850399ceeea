"""Gets the real servers that tests and demo use: from Debian as root, from Maven Central, and ntpd unpacked.

    python -m exposure_audit.lab.install --directory .lab

Whatever cannot be had is named and skipped: the tests that need it are skipped by name, the demo says so.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import opensearch
from exposure_audit.lab.servers._process import output, program
from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.lab.servers.contract import CACHE

DEBIAN_PACKAGES = {
    "clickhouse-server": "clickhouse-server",
    "redis-server": "redis-server",
    "memcached": "memcached",
    "openssl": "openssl",
    "cc": "gcc libc6-dev",
    "java": "default-jdk-headless",
    "mvn": "maven",
}
"""Program and the Debian packages that bring it."""
TEST_PACKAGES = {
    "chromium": "chromium",
    "nmap": "nmap",
    # The probes of ClickHouse's foreign tongues are held against a real PostgreSQL.
    "postgres": "postgresql",
}
"""What only the tests need: a browser for the HTML report, peers for the probes."""
# Not installed: it would replace systemd-timesyncd. Its program is unpacked, with libraries that may be missing.
DEBIAN_UNPACKED = ("ntpsec", "libbsd0", "libmd0", "libcap2")
_POLICY = Path("/usr/sbin/policy-rc.d")
_SECONDS = 900.0


def missing_packages(wanted: Mapping[str, str] = DEBIAN_PACKAGES) -> list[str]:
    """The Debian packages whose programs are not there."""
    return [package for name, text in wanted.items() if not program(name) for package in text.split()]


@contextmanager
def _no_daemons() -> Iterator[None]:
    """While packages are installed, none of them may start its service."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def install_packages(programs: Mapping[str, str] = DEBIAN_PACKAGES) -> str:
    """Install what is missing, as root on Debian or Ubuntu. Returns what it did, or why it did not."""
    wanted = missing_packages(programs)
    if not wanted:
        return "Debian packages: all there"
    apt = program("apt-get")
    if apt is None or os.geteuid() != 0:
        return f"not installed, root on Debian could: {' '.join(wanted)}"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_daemons():
        subprocess.run([apt, "update", "-qq"], env=environment, check=False, timeout=_SECONDS)  # noqa: S603
        for package in wanted:  # One by one: a release that lacks one still brings the others.
            words = [apt, "install", "-y", "-qq", "--no-install-recommends", package]
            subprocess.run(  # noqa: S603
                words, env=environment, check=False, timeout=_SECONDS, stdout=subprocess.DEVNULL
            )
    left = missing_packages(programs)
    return f"installed {' '.join(wanted)}" + (f"; not to be had: {' '.join(left)}" if left else "")


def unpack_ntpd(cache: Path) -> str:
    """Download ntpsec and unpack it, without installing."""
    target = cache / "ntpsec"
    apt, dpkg = program("apt-get"), program("dpkg")
    if (target / "usr/sbin/ntpd").exists() or program("ntpd"):
        return "ntpd: there"
    if apt is None or dpkg is None:
        return "ntpd: skipped, apt-get and dpkg are needed"
    target.mkdir(parents=True, exist_ok=True)
    for package in DEBIAN_UNPACKED:
        words = [apt, "download", "-qq", package]
        subprocess.run(  # noqa: S603
            words, cwd=target, check=False, timeout=_SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    for file in sorted(target.glob("*.deb")):
        output([dpkg, "-x", str(file), str(target)], seconds=60)
        file.unlink()
    return "ntpd: unpacked" if (target / "usr/sbin/ntpd").exists() else "ntpd: skipped, the download failed"


def build_opensearch(cache: Path) -> str:
    """Fetch and compile OpenSearch, once."""
    if opensearch.built(cache):
        return "OpenSearch: there"
    try:
        opensearch.build(cache)
    except RunError as error:
        return f"OpenSearch: skipped, {error}"
    return "OpenSearch: built"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare everything that can be prepared here; say what came of it on standard error."""
    parser = argparse.ArgumentParser(prog="python -m exposure_audit.lab.install")
    parser.add_argument("--directory", type=Path, default=CACHE, help="where downloads and builds are kept")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    wanted = parser.parse_args(arguments)
    cache: Path = wanted.directory
    cache.mkdir(parents=True, exist_ok=True)
    programs = DEBIAN_PACKAGES | TEST_PACKAGES if wanted.tests else DEBIAN_PACKAGES
    for said in (install_packages(programs), unpack_ntpd(cache), build_opensearch(cache)):
        sys.stderr.write(f"{said}\n")
    for name in SERVERS:
        sys.stderr.write(f"{name}: {SERVERS[name].available(cache) or 'can be started'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
