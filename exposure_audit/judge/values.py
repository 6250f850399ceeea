"""The two ways a fact can be missing, and the third: known to be one of a few.

`UNKNOWN` is what could not be looked at. `ABSENT` is what was looked at and is not there. They are never the same
thing: a matcher on an absent fact is false, a matcher on an unknown fact is unknown.
"""

from collections.abc import Iterable


class Missing:
    """A fact without a value; compares equal to itself alone."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNKNOWN = Missing("UNKNOWN")
ABSENT = Missing("ABSENT")


class Among(Missing):
    """Unknown, but one of a few values: which service may speak on a port that was not asked."""

    __slots__ = ("values",)

    def __init__(self, values: Iterable[str]) -> None:
        super().__init__("AMONG")
        self.values = tuple(sorted(values))

    def __repr__(self) -> str:
        return f"AMONG{self.values}"
