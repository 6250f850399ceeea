"""RESP, the protocol of Redis and its kin: https://redis.io/docs/latest/develop/reference/protocol-spec/"""

from collections.abc import Generator

from exposure_audit.probe.contract import Command, NotThis, Receive

Value = int | str | None | list["Value"]

LINE_LIMIT = 8192
BULK_LIMIT = 32768
_MAX_ITEMS = 256
_MAX_DEPTH = 5


class Refusal(Exception):
    """An error reply (`-NOAUTH …`), without its dash."""


def command(*words: str) -> bytes:
    """A request: an array of bulk strings."""
    parts = [f"*{len(words)}\r\n"] + [f"${len(word)}\r\n{word}\r\n" for word in words]
    return "".join(parts).encode("ascii")


def value(line: bytes = b"", *, depth: int = 0) -> Generator[Command, bytes, Value]:
    """Read one value; `line` is its first line when that was read already. Maps come as flat lists.

    Raises Refusal for an error reply, NotThis when it is not RESP.
    """
    line = line or (yield Receive(until=b"\r\n", limit=LINE_LIMIT))
    kind, text = line[:1], line[1:].strip()
    if kind == b"-" and text:
        raise Refusal(text.decode("utf-8", "replace"))
    if kind in {b"+", b"#", b","}:
        return text.decode("utf-8", "replace")
    if kind == b"_":
        return None
    number = _number(text)
    if kind == b":":
        return number
    if kind in {b"$", b"="}:
        return (yield from _bulk(number))
    if kind in {b"*", b"~", b"%"} and depth < _MAX_DEPTH:
        return (yield from _items(number * (2 if kind == b"%" else 1), depth + 1))
    raise NotThis("not RESP")


def _number(text: bytes) -> int:
    if not (text.removeprefix(b"-").isdigit() and len(text) <= 20):
        raise NotThis("not RESP: a number was expected")
    return int(text)


def _bulk(length: int) -> Generator[Command, bytes, Value]:
    if length < 0:
        return None
    if length > BULK_LIMIT:
        raise NotThis("a bulk string of absurd length")
    data = yield Receive(exactly=length + 2)
    if data[-2:] != b"\r\n":
        raise NotThis("not RESP: a bulk string without its end")
    return data[:-2].decode("utf-8", "replace")


def _items(count: int, depth: int) -> Generator[Command, bytes, Value]:
    if count < 0:
        return None
    if count > _MAX_ITEMS:
        raise NotThis("an array of absurd length")
    items: list[Value] = []
    for _ in range(count):
        items.append((yield from value(depth=depth)))  # noqa: PERF401 - a comprehension cannot yield
    return items


def fields(answer: Value) -> dict[str, Value]:
    """A flat list `[name, value, name, value…]` as a dictionary; anything else is empty."""
    if not isinstance(answer, list):
        return {}
    return {name: answer[i + 1] for i, name in enumerate(answer[:-1]) if i % 2 == 0 and isinstance(name, str)}


def info(answer: Value) -> dict[str, str]:
    """The `name:value` lines of an INFO reply."""
    lines = answer.splitlines() if isinstance(answer, str) else []
    pairs = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: text for name, colon, text in pairs if colon}
