"""The whole plug-in system: a table of name -> "module:attribute", imported when indexed."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Table(Mapping[str, T_co], Generic[T_co]):
    """A sorted mapping whose values are imported on first use.

    Listing the names imports nothing; indexing imports one module. One explicit line a member
    can be searched, reviewed and frozen, which folder scanning and decorators cannot.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = dict(entries)
        self._loaded: dict[str, T_co] = {}

    def __getitem__(self, name: str) -> T_co:
        if name not in self._loaded:
            module, _, attribute = self._entries[name].partition(":")
            self._loaded[name] = getattr(import_module(module), attribute)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def where(self, name: str) -> str:
        """Return the "module:attribute" of a member without importing it."""
        return self._entries[name]
