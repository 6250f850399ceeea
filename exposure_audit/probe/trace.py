"""The dialogue as it happened, for people and for tests."""

from collections.abc import Callable

Key = tuple[str, int, str]
"""Address (or name) as planned, port, transport."""

Trace = Callable[[Key, str, bytes], None]
"""Called with the key, a direction (`sent`, `received`, `note`) and the bytes; a note is our own text."""

Tracer = Callable[[str, bytes], None]


def silent(direction: str, data: bytes) -> None:
    """Tell nobody."""
