"""How a stage says how far it is, without knowing who listens."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); total 0 means that it is not known yet."""


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
