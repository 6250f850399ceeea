"""A test whose server cannot be had is skipped by name; in CI that is a failure."""

import pytest
from servers import unavailable


def test_here_it_is_skipped_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"server: redis: not there"):
        unavailable("redis: not there")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"server: redis: not there"):
        unavailable("redis: not there")
