"""A flag beats the environment beats the file beats the default; every mistake names its place."""

from pathlib import Path

import pytest

from exposure_audit.cli.settings import budget, resolve
from exposure_audit.errors import UsageError


def test_defaults(tmp_path: Path) -> None:
    settings = resolve({}, environment={}, start=tmp_path)
    assert settings.fail_on == "high"
    assert settings.probe is True
    assert budget(settings).per_address_rate == 5.0


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "exposure-audit.toml").write_text('fail-on = "low"\nvantage = "file"\nregion = ["eu-west-1"]\n')
    environment = {"EXPOSURE_AUDIT_FAIL_ON": "medium", "EXPOSURE_AUDIT_VANTAGE": "environment"}
    settings = resolve({"fail_on": "critical", "vantage": None}, environment=environment, start=tmp_path)
    assert (settings.fail_on, settings.vantage, settings.region) == ("critical", "environment", ("eu-west-1",))


def test_the_environment_speaks_in_words(tmp_path: Path) -> None:
    environment = {
        "EXPOSURE_AUDIT_REGION": "eu-west-1, us-east-1",
        "EXPOSURE_AUDIT_ALLOW_INCOMPLETE": "true",
        "EXPOSURE_AUDIT_RATE": "50",
        "EXPOSURE_AUDIT_PROBE": "false",
    }
    settings = resolve({}, environment=environment, start=tmp_path)
    assert settings.region == ("eu-west-1", "us-east-1")
    assert (settings.allow_incomplete, settings.rate, settings.probe) == (True, 50.0, False)


def test_the_nearest_file_upward_counts_and_pyproject_only_with_our_table(tmp_path: Path) -> None:
    inner = tmp_path / "service" / "deploy"
    inner.mkdir(parents=True)
    (tmp_path / "service/pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "pyproject.toml").write_text('[tool.exposure-audit]\nfail-on = "never"\n')
    assert resolve({}, environment={}, start=inner).fail_on == "never"
    (tmp_path / "service/exposure-audit.toml").write_text('fail-on = "low"\n')
    assert resolve({}, environment={}, start=inner).fail_on == "low"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('fail_on = "low"', "did you mean fail-on?"),
        ('token = "x"', "unknown setting 'token'"),
        ("rate = 'fast'", "rate: Expected `float`, got `str`"),
        ("allow-private = true", "not read from a file"),
        ("allow-loopback = true", "not read from a file"),
        ('targets = "hosts.txt"', "not read from a file"),
        ("fail-on = ", "is no TOML"),
    ],
)
def test_a_mistake_in_the_file_names_the_file_and_the_mend(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "exposure-audit.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        resolve({}, environment={}, start=tmp_path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="EXPOSURE_AUDIT_RATE"):
        resolve({}, environment={"EXPOSURE_AUDIT_RATE": "fast"}, start=tmp_path)


@pytest.mark.parametrize("flags", [{"timeout": 0.0}, {"connect_timeout": -1.0}, {"in_flight": 0}, {"rate": -1.0}])
def test_a_budget_that_makes_no_sense_is_refused(tmp_path: Path, flags: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        budget(resolve(flags, environment={}, start=tmp_path))
