"""Versions as servers print them, compared component by component, and ranges with one branch each.

`6.2.18`, `21.8.1.1`, `4.2.7p26`, `1.4.3-beta1`, `v7.10.2-SNAPSHOT`, `4.2.8p15@1.3728-o`. Missing components count
as zero. A pre-release is older than its release, a patch level (`p26`, `-1`) is newer. Fixes of one flaw land in
several branches, so a range is a list: `[">=6.0,<6.2.20", ">=7.0,<7.2.11"]`.
"""

import operator
import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

VersionKey = tuple[tuple[int, ...], tuple[int, int]]

_FORM = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,7})(.{0,64})", re.IGNORECASE | re.DOTALL)
_PRE_RELEASE = re.compile(
    r"[-._ ]?(?:alpha|beta|rc|pre|preview|dev|snapshot|a(?=\d)|b(?=\d))[-._]?(\d{0,9})", re.IGNORECASE
)
_PATCH = re.compile(r"(?:p|[-._ ])(\d{1,9})", re.IGNORECASE)

_COMPARE: dict[str, Callable[[VersionKey, VersionKey], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}


@lru_cache(maxsize=4096)
def parse(text: str) -> VersionKey | None:
    """Return something that compares like the version, or None when the text is no version."""
    found = _FORM.match(text.strip())
    if not found:
        return None
    release = [int(part) for part in found[1].split(".")]
    while release and release[-1] == 0:
        release.pop()
    rest = found[2]
    if early := _PRE_RELEASE.match(rest):
        suffix = (0, int(early[1] or 0))
    elif patch := _PATCH.match(rest):
        suffix = (2, int(patch[1]))
    else:
        suffix = (1, 0)
    return tuple(release), suffix


class Range(msgspec.Struct, frozen=True):
    """All of these bounds."""

    text: str
    bounds: tuple[tuple[str, VersionKey], ...]

    @classmethod
    def read(cls, text: str) -> "Range":
        """Read `>=6.0,<6.2.20`. Raises ValueError with a sentence when it means nothing or can never hold."""
        bounds = []
        for part in text.split(","):
            sign = next((sign for sign in _COMPARE if part.strip().startswith(sign)), None)
            if sign is None:
                raise ValueError(f"{part.strip()!r} does not start with one of {', '.join(_COMPARE)}")
            written = part.strip()[len(sign) :].strip()
            version = parse(written)
            if version is None:
                raise ValueError(f"{written!r} is not a version")
            bounds.append((sign, version))
        low = max((version for sign, version in bounds if sign in {">=", ">", "=="}), default=None)
        high = min((version for sign, version in bounds if sign in {"<=", "<", "=="}), default=None)
        shut = all(sign in {">=", "<=", "=="} for sign, version in bounds if version == low)
        if low and high and (low > high or (low == high and not shut)):
            raise ValueError(f"no version can be in {text!r}")
        return cls(text, tuple(bounds))

    def holds(self, version: VersionKey) -> bool:
        """Say whether a parsed version is inside."""
        return all(_COMPARE[sign](version, bound) for sign, bound in self.bounds)
