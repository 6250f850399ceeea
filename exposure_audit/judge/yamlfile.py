"""YAML with its teeth drawn: what is written is what is read, and every value knows its line.

PyYAML reads YAML 1.1, where `22:22` is 1342, `no` is false, `022` is 18 and a date is an object. This reader takes
the events of its C parser and builds plain values by the core schema of YAML 1.2 (null, true, false, decimal
numbers, text). Whatever the two versions read differently must be quoted. Anchors, aliases, tags, merge keys,
duplicate keys, several documents, deep nesting and large files are refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

import msgspec

from exposure_audit.errors import InputFileError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+")
_NULL = {"", "~", "null"}
_FLAGS = {"true": True, "false": False}
_AMBIGUOUS = re.compile(
    r"y|n|yes|no|on|off|true|false|null"  # Other cases of these too.
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # Base 60.
    r"|[-+]?0[0-9_]+|[-+]?0[xob][0-9a-f_]+"
    r"|[-+]?[0-9][0-9_]*_[0-9_]*"
    r"|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?"
    r"|[-+]?\.inf|\.nan"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t ].*)?",
    re.IGNORECASE,
)


Value = bool | int | float | str | tuple["Node", ...] | dict[str, "Node"] | None


class _Mark(Protocol):
    line: int
    column: int


class _Event(Protocol):
    """What this module uses of PyYAML's events; each has the attributes of its kind."""

    start_mark: _Mark
    anchor: str | None
    tag: str | None
    style: str | None
    value: str


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A value and where it stands."""

    value: Value
    file: str
    line: int
    column: int
    keys: dict[str, int] = {}
    """Of a mapping: the line of each key."""
    quoted: bool = False

    @property
    def where(self) -> str:
        """`file:line`, as editors understand it."""
        return f"{self.file}:{self.line}"

    def error(self, message: str, mend: str = "", *, key: str = "") -> InputFileError:
        """Return an error at this place, or at one of its keys."""
        return InputFileError(message, where=f"{self.file}:{self.keys.get(key, self.line)}", mend=mend)

    @property
    def kind(self) -> str:
        """What it is, for a person."""
        if self.value is None:
            return "nothing"
        names = {
            bool: "true or false",
            int: "a number",
            float: "a number",
            str: "text",
            tuple: "a list",
            dict: "a mapping",
        }
        return names[type(self.value)]

    def mapping(self) -> dict[str, "Node"]:
        """Return its entries. Raises InputFileError when it is no mapping."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected a mapping, found {self.kind}")
        return self.value

    def items(self) -> tuple["Node", ...]:
        """Return its members. Raises InputFileError when it is no list or an empty one."""
        if not isinstance(self.value, tuple):
            raise self.error(f"expected a list, found {self.kind}")
        if not self.value:
            raise self.error("the list is empty")
        return self.value

    def text(self) -> str:
        """Return its text. Raises InputFileError when it is anything else or blank."""
        if not isinstance(self.value, str):
            raise self.error(f"expected text, found {self.kind}", "quote it" if self.value is not None else "")
        if not self.value.strip():
            raise self.error("the text is empty")
        return self.value


def read(path: Path, shown: str = "") -> Node:
    """Read a file of one document; errors are InputFileError with file and line."""
    name = shown or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", where=name) from None
    return parse(data, name)


def parse(data: bytes, file: str) -> Node:
    """Read one document from bytes. Raises InputFileError with file and line."""
    import yaml

    if len(data) > MAX_BYTES:
        raise InputFileError(f"larger than {MAX_BYTES // 1024} KiB", where=file, mend="a rule fits a page")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputFileError("not UTF-8", where=f"{file}:{line}", mend="save it as UTF-8") from None
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events: Any = yaml.parse(text, Loader=loader)
        return _Builder(file, events).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputFileError(f"not YAML: {error.problem or error.context}", where=f"{file}:{line}") from None
    except yaml.YAMLError as error:
        raise InputFileError(f"not YAML: {error}", where=file) from None


class _Builder:
    """Turns parser events into nodes."""

    def __init__(self, file: str, events: Iterator[_Event]) -> None:
        self._file = file
        self._events = events

    def document(self) -> Node:
        """Build the only document."""
        first = next(event for event in self._events if type(event).__name__ != "StreamStartEvent")
        if type(first).__name__ == "StreamEndEvent":
            raise InputFileError("the file is empty", where=self._file)
        node = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if type(after).__name__ != "StreamEndEvent":
            self._refuse(after, "a second document", "one file holds one document")
        return node

    def _refuse(self, event: _Event, what: str, mend: str) -> NoReturn:
        line = event.start_mark.line + 1
        raise InputFileError(f"{what} is not allowed here", where=f"{self._file}:{line}", mend=mend)

    def _node(self, event: _Event, depth: int) -> Node:
        name = type(event).__name__
        if name == "AliasEvent" or getattr(event, "anchor", None):
            self._refuse(event, "an anchor or alias", "write the value out")
        if getattr(event, "tag", None):
            self._refuse(event, f"the tag {event.tag}", "write the plain value")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nesting deeper than {MAX_DEPTH}", "split the rule")
        if name == "MappingStartEvent":
            return self._mapping(event, depth)
        if name == "SequenceStartEvent":
            members = []
            while type(following := next(self._events)).__name__ != "SequenceEndEvent":
                members.append(self._node(following, depth + 1))
            return self._made(event, tuple(members))
        plain = not event.style
        return self._made(event, self._scalar(event) if plain else event.value, quoted=not plain)

    def _made(
        self, event: _Event, value: Value, *, quoted: bool = False, keys: dict[str, int] | None = None
    ) -> Node:
        mark = event.start_mark
        return Node(
            value=value, file=self._file, line=mark.line + 1, column=mark.column + 1, quoted=quoted, keys=keys or {}
        )

    def _mapping(self, event: _Event, depth: int) -> Node:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while type(following := next(self._events)).__name__ != "MappingEndEvent":
            if type(following).__name__ != "ScalarEvent":
                self._refuse(following, "a key that is not plain text", "write a name")
            key = self._node(following, depth + 1)
            name = str(following.value)
            if name == "<<":
                self._refuse(following, "a merge key", "write the fields out")
            if name in entries:
                self._refuse(following, f"a second {name!r}", f"the first is on line {lines[name]}")
            lines[name] = key.line
            entries[name] = self._node(next(self._events), depth + 1)
        return self._made(event, entries, keys=lines)

    def _scalar(self, event: _Event) -> bool | int | float | str | None:
        text: str = event.value
        if text in _NULL:
            return None
        if text in _FLAGS:
            return _FLAGS[text]
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < 20 else self._refuse(event, "a number this long", "quote it")
        if _FLOAT.fullmatch(text):
            return float(text)
        if _AMBIGUOUS.fullmatch(text):
            self._refuse(
                event, f"the unquoted word {text}", "readers disagree on it: quote it, or write true or false"
            )
        return text
