r"""Makes foreign text harmless, once, for every format: what was active becomes a visible escape.

Names, tags and banners come from whoever set them. Escaped are: C0 and C1 controls with ESC, CR and LF (terminal
sequences, OSC 8 links, forged log lines), the line and paragraph separators, bidi controls and invisible characters
(https://trojansource.codes), unpaired surrogates (no encoder takes them), and the prefixes by which CI systems read
commands out of a log: `::error::` (GitHub), `##[`, `##vso[` (Azure), `##teamcity[`.

An escape reads as in source code: `\x1b`, `\u202e`. A text that held those very letters reads the same; no reader
is misled by that, and taming twice changes nothing.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TypeVar, cast

import msgspec

LIMIT = 4096
"""Characters that are kept of one text; the rest is counted."""

_ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # Two characters that begin a command are told apart from an IPv6 address by the word behind them.
    "|::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice"
    "|remove-matcher|save-state|set-env|set-output|stop-commands|warning)(?:::| ))"
    r"|\#(?=\#(?:vso|teamcity)?\[)",
    re.IGNORECASE,
)
_HALF_ESCAPE = re.compile(r"\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|U[0-9a-f]{0,7})?$")

T = TypeVar("T")


def tame(text: str) -> str:
    """Return the text with nothing active in it, at most LIMIT characters long. Total and idempotent."""
    if len(text) <= LIMIT and not _ACTIVE.search(text):
        return text
    # Escapes only lengthen, so no more than LIMIT characters can survive. Look one command further, so that a
    # prefix is not judged without the word behind it.
    safe = _ACTIVE.sub(_escape, text[: LIMIT + 64])
    if len(text) <= LIMIT + 64 and len(safe) <= LIMIT:
        return safe
    mark = f"… ({len(text):,} characters)"
    return _HALF_ESCAPE.sub("", safe[: LIMIT - len(mark)]) + mark


def _escape(found: re.Match[str]) -> str:
    first, rest = found[0][0], found[0][1:]
    code = ord(first)
    if code < 0x100:
        return f"\\x{code:02x}{rest}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def tame_lines(text: str) -> str:
    """Tame each line of a text that is meant to have several."""
    return "\n".join(map(tame, text.split("\n")))


_SEVERAL_LINES = frozenset({("Fix", "terraform")})
"""Fields whose line feeds are ours: the template of a rule, filled in with harmless characters only."""


def tame_all(noun: T) -> T:
    """Return a noun in which every text is tame: structs, tuples, lists, dictionaries, and what is inside them."""
    return cast("T", _walk(noun))


_MAY_COMMAND = re.compile(rb"::(?=[a-zA-Z])")
_ESCAPE = re.compile(rb'\\[^"]')
"""In JSON a backslash escapes a quote, or something to look at."""
_PARTS = 32


def _surely_tame(noun: object) -> bool:
    """Whether nothing in it needs a look: its JSON holds nothing suspicious. Takes a whole report in one go."""
    try:
        data = msgspec.json.encode(noun)
    except UnicodeEncodeError:  # An unpaired surrogate.
        return False
    if not data.isascii() or b"##" in data or b"\x7f" in data:
        return False
    if _ESCAPE.search(data):
        return False
    if _MAY_COMMAND.search(data) and _ACTIVE.search(data.decode("ascii")):
        return False
    # A text longer than the limit covers one of these windows whole: there is no quote in it.
    window = LIMIT // 2
    return all(data.find(b'"', at, at + window) >= 0 for at in range(0, len(data) - window, window))


def _walk(value: object) -> object:
    if type(value) is str:
        return tame(value)
    if isinstance(value, msgspec.Struct):
        return value if _surely_tame(value) else _struct(value)
    if isinstance(value, tuple):
        return value if _surely_tame(value) else _tuple(value)
    if isinstance(value, list):
        return [_walk(one) for one in value]
    if isinstance(value, dict):
        return {_walk(key): _walk(one) for key, one in value.items()}
    return value


def _tuple(value: tuple[object, ...]) -> tuple[object, ...]:
    """Walk a tuple part by part, so that one hostile name does not cost a look at ten thousand innocent ones."""
    if len(value) <= _PARTS:
        return tuple([_walk(one) for one in value])
    size = -(-len(value) // _PARTS)
    parts = (value[start : start + size] for start in range(0, len(value), size))
    return tuple([one for part in parts for one in (part if _surely_tame(part) else _tuple(part))])


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Callable[[str], str] | None], ...]:
    name = kind.__name__
    return tuple(
        (field, tame_lines if (name, field) in _SEVERAL_LINES else None) for field in kind.__struct_fields__
    )


def _struct(value: msgspec.Struct) -> msgspec.Struct:
    changed: dict[str, object] = {}
    for field, special in _fields(type(value)):
        before = getattr(value, field)
        after = special(before) if special else _walk(before)
        if after is not before and after != before:
            changed[field] = after
    return msgspec.structs.replace(value, **changed) if changed else value
