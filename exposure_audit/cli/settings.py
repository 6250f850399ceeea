"""Where a setting comes from: a flag beats the environment beats the configuration file beats the default.

The file is `exposure-audit.toml`, or `[tool.exposure-audit]` in pyproject.toml, found upward from the working
directory. Its keys are the names of the flags of `scan`. What widens the scope of probing is never read from it:
a pull request can edit a file.
"""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from exposure_audit.errors import UsageError
from exposure_audit.model.plan import Budget

FLAG_ONLY = frozenset({"allow-private", "allow-loopback", "max-age", "snapshot", "targets"})
BUDGET_FIELDS = {
    "connect-timeout": "connect_seconds",
    "timeout": "total_seconds",
    "rate": "global_rate",
    "rate-per-address": "per_address_rate",
    "in-flight": "in_flight",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Every setting of a scan with its default; the file and the environment know them by the flag's name."""

    provider: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    profile: str = ""
    account_role: tuple[str, ...] = ()
    snapshot: str = ""
    targets: str = ""
    probe: bool = True
    all_ports: bool = False
    exclude: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fail_on: str = "high"
    allow_incomplete: bool = False
    vantage: str = "local"
    rate: float = 500.0
    rate_per_address: float = 5.0
    timeout: float = 8.0
    connect_timeout: float = 3.0
    in_flight: int = 1000
    measure_amplification: bool = True
    allow_private: bool = False
    allow_loopback: bool = False
    loopback_only: bool = False
    confirm: bool = False
    discover: str = ""
    max_age: float = 24.0
    api_timeout: float = 30.0
    format: tuple[str, ...] = ()
    run_dir: str = ""


NAMES: dict[str, Any] = {field.encode_name: field.type for field in msgspec.structs.fields(Settings)}


def resolve(
    flags: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, start: Path | None = None
) -> Settings:
    """Merge flags (None means not given) with environment and file. Raises UsageError naming the culprit."""
    values: dict[str, Any] = {}
    path, found = _file(start or Path.cwd())
    for key, value in found.items():
        _known(key, str(path))
        if key in FLAG_ONLY:
            raise UsageError(f"{key} is not read from a file", where=str(path), mend=f"give --{key} by hand")
        values[key] = _convert(key, value, where=str(path), strict=True)
    environment = os.environ if environment is None else environment
    for key, kind in NAMES.items():
        name = "EXPOSURE_AUDIT_" + key.upper().replace("-", "_")
        if name in environment:
            text = environment[name]
            listed = [part.strip() for part in text.split(",") if part.strip()]
            values[key] = _convert(key, listed if "tuple" in str(kind) else text, where=name, strict=False)
    values |= {key.replace("_", "-"): value for key, value in flags.items() if value is not None}
    return msgspec.convert(values, Settings, strict=False)


def _convert(key: str, value: object, *, where: str, strict: bool) -> object:
    try:
        return msgspec.convert(value, NAMES[key], strict=strict)
    except msgspec.ValidationError as error:
        raise UsageError(f"{key}: {error}", where=where, mend="see exposure-audit scan --help") from None


def _known(key: str, where: str) -> None:
    if key in NAMES:
        return
    near = get_close_matches(key, NAMES, n=1)
    mend = f"did you mean {near[0]}?" if near else "settings are named like the flags of scan"
    raise UsageError(f"unknown setting {key!r}", where=where, mend=mend)


def _file(start: Path) -> tuple[Path, dict[str, Any]]:
    """Find the nearest configuration file, upward; a pyproject.toml counts when it has our table."""
    for folder in (start, *start.parents):
        own = folder / "exposure-audit.toml"
        if own.is_file():
            return own, _toml(own)
        shared = folder / "pyproject.toml"
        if shared.is_file():
            table = _toml(shared).get("tool", {}).get("exposure-audit")
            if table is not None:
                return shared, table
    return start, {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"is no TOML: {error}", where=str(path)) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None


def budget(settings: Settings) -> Budget:
    """The limits of probing. Raises UsageError for one that is negative or zero where that makes no sense."""
    for key in ("timeout", "connect-timeout", "in-flight", "api-timeout"):
        if getattr(settings, key.replace("-", "_")) <= 0:
            raise UsageError("must be more than 0", where=f"--{key}")
    for key in ("rate", "rate-per-address", "max-age"):
        if getattr(settings, key.replace("-", "_")) < 0:
            raise UsageError("must not be negative", where=f"--{key}", mend="0 means no limit")
    return Budget(**{field: getattr(settings, key.replace("-", "_")) for key, field in BUDGET_FIELDS.items()})
