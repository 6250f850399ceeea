"""What the lab installs: named, skipped with a reason where it cannot be had, never a daemon started."""

from pathlib import Path

import pytest

from exposure_audit.lab import install
from exposure_audit.lab.servers import opensearch


def test_every_program_has_its_packages() -> None:
    assert {"clickhouse-server", "redis-server", "memcached"} <= set(install.DEBIAN_PACKAGES)
    # Installing it would remove systemd-timesyncd.
    assert not any("ntp" in packages for packages in install.DEBIAN_PACKAGES.values())


def test_missing_packages_are_those_whose_program_is_not_there() -> None:
    assert install.missing_packages({"sh": "dash", "no-such-program": "one two"}) == ["one", "two"]


def test_an_ordinary_user_is_told_what_root_could_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert (
        install.install_packages({"no-such-program": "some-package"})
        == "not installed, root on Debian could: some-package"
    )


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    ntpd = tmp_path / "ntpsec/usr/sbin/ntpd"
    ntpd.parent.mkdir(parents=True)
    ntpd.touch()
    launcher = tmp_path / "opensearch/classes/Launcher.class"
    launcher.parent.mkdir(parents=True)
    launcher.touch()
    assert install.unpack_ntpd(tmp_path) == "ntpd: there"
    assert install.build_opensearch(tmp_path) == "OpenSearch: there"


def test_without_maven_opensearch_is_skipped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opensearch, "program", lambda *_: None)
    assert install.build_opensearch(tmp_path).startswith(
        "OpenSearch: skipped, opensearch: mvn and javac are needed"
    )


def test_no_daemon_starts_while_packages_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(install, "_POLICY", policy)
    with install._no_daemons():
        assert policy.read_text() == "#!/bin/sh\nexit 101\n"
        assert policy.stat().st_mode & 0o111
    assert not policy.exists()
    policy.write_text("theirs")
    with install._no_daemons():
        pass
    assert policy.read_text() == "theirs"
