"""Puts lines on a terminal or into plain text: indented, folded and never cut, in colour where that is wanted.

Shared by the report on the screen and by `explain`. Colour repeats what words and symbols say.
"""

import io
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from exposure_audit.report.nouns import Step

if TYPE_CHECKING:
    from rich.text import Text

MAX_WIDTH = 140
"""Longer lines are hard to read, however wide the window is."""
MIN_WIDTH = 40

Part = str | tuple[str, str]
"""A text, or a text and its style."""

STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold blue",
    "info": "dim",
    "open": "bold red",
    "unknown": "bold magenta",
    "guarded": "yellow",
    "silent": "dim",
    "failed": "bold white on red",
    "incomplete": "bold black on yellow",
    "passed": "bold white on green",
    "fail": "bold red",
    "pass": "green",
    "attested": "cyan",
    "not applicable": "dim",
    "name": "bold",
    "quiet": "dim",
    "head": "bold underline",
    "command": "cyan",
}
_SIGNS = {
    "critical": ("■", "#"),
    "high": ("▲", "!"),
    "medium": ("◆", "*"),
    "low": ("●", "o"),
    "info": ("·", "."),
    "open": ("✗", "x"),
    "unknown": ("?", "?"),
    "guarded": ("◐", "~"),
    "silent": ("·", "."),
    "failed": ("✗", "x"),
    "incomplete": ("?", "?"),
    "passed": ("✓", "+"),
    "fail": ("✗", "x"),
    "pass": ("✓", "+"),
    "attested": ("✎", "="),
    "not applicable": ("∅", "-"),
    "arrow": ("→", "->"),
    "dot": ("·", "|"),
}


class Screen:
    """Lines for one stream. Width, colour and encoding are those of the stream unless told otherwise."""

    def __init__(self, stream: TextIO, *, width: int | None = None) -> None:
        from rich.console import Console

        self._stream = stream
        self._console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
        # The library ends the process when a reader hangs up; we would rather keep the exit code.
        self._console.begin_capture()
        self.width = max(MIN_WIDTH, min(self._console.width, MAX_WIDTH))
        self._plain = not _can_write(stream, "".join(sign for sign, _ in _SIGNS.values()))

    def finish(self) -> None:
        """Send everything to the stream. What its encoding lacks is escaped; a reader who left is no error."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="backslashreplace")
        try:
            self._stream.write(self._console.end_capture())
            self._stream.flush()
        except BrokenPipeError:
            hang_up(self._stream)

    def sign(self, name: str) -> str:
        """The symbol of a severity, level or status, in ASCII where nothing else can be written."""
        return _SIGNS[name][self._plain]

    def head(self, title: str, after: str = "") -> None:
        """A section begins: an empty line, the title, and what it amounts to."""
        self.line()
        self.line((title, "head"), f"  {after}" if after else "")

    def line(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        """Print one paragraph; its further lines are indented by `hang` more."""
        text = self._text(parts)
        room = self.width - indent
        first = text.wrap(self._console, room, overflow="fold") if hang == 0 else self._hanging(text, room, hang)
        for number, row in enumerate(first):
            row.rstrip()
            if row:
                row.pad_left(indent + (hang if number else 0))
            self._print(row)

    def _hanging(self, text: "Text", room: int, hang: int) -> "Sequence[Text]":
        rows = list(text.wrap(self._console, room, overflow="fold"))
        if len(rows) == 1:
            return rows
        # The first row is kept as it was wrapped; what is left is wrapped again, narrower.
        rest = text[len(rows[0]) :]
        while rest.plain.startswith(" "):
            rest = rest[1:]
        return [rows[0], *rest.wrap(self._console, room - hang, overflow="fold")]

    def verbatim(self, text: str, *, style: str = "command", indent: int = 0) -> None:
        """Print lines as they are, for copying: the terminal wraps them, we do not."""
        for row in text.split("\n"):
            self._print(self._text([(f"{' ' * indent}{row}", style)]))

    def _print(self, row: "Text") -> None:
        self._console.print(row, soft_wrap=True)

    def _text(self, parts: Iterable[Part]) -> "Text":
        from rich.text import Text

        text = Text()
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(words, STYLES.get(style, style) or None)
        return text


def hang_up(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: its reader left, and the exit code still counts."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def chain(screen: Screen, steps: Sequence[Step]) -> list[Part]:
    """A path in one paragraph: gate, name and rule of each step."""
    parts: list[Part] = []
    for step in steps:
        parts += [(f"{screen.sign('arrow')} ", "quiet"), f"{step.gate} ", (step.named, "quiet")]
        if step.doubt:
            parts.append((f" ({step.doubt})", "unknown"))
        parts.append(" ")
    return parts
