"""Reads XML answers of AWS into what botocore's own parser would return, in a third of its time.

botocore emits `before-parse.<service>.<operation>` with the raw answer and a dictionary whose content is laid over
what its parser returns. Our handler parses the body in one pass over expat, guided by the same output shapes, and
leaves a stub for botocore: signing, endpoints, errors and metadata stay botocore's. Whatever the handler does not
know (another protocol, a shape it has no plan for, an answer that is no XML) it leaves untouched.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from xml.parsers import expat
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

Entry = tuple[str | None, Callable[[str], object] | None, "Inner | None"]
"""What an element becomes: the member's name (None: an item of a list), how its text is converted (None: not at
all), and what it holds (None: text)."""


class Inner:
    """An element that holds elements: what each of them becomes, by tag."""

    __slots__ = ("fields", "pair", "struct")

    def __init__(self, fields: "Fields", *, struct: bool, pair: tuple[str, str] | None = None) -> None:
        self.fields = fields
        self.struct = struct
        """True for a dictionary, False for a list."""
        self.pair = pair
        """For a map, the names of key and value in its entries."""


class Fields(dict[str, Entry]):
    """Entries by tag. A tag that is not in it is tried without its namespace prefix, else `other` is meant."""

    def __init__(self, other: Entry | None = None) -> None:
        super().__init__()
        self.other = other

    def __missing__(self, tag: str) -> Entry:
        return self.get(tag.partition(":")[2]) or self.other or _IGNORE


_NOTHING = Fields()
_SKIPPED = Inner(_NOTHING, struct=False)
_IGNORE: Entry = (None, None, _SKIPPED)
_NOTHING.other = _IGNORE


class Unplanned(Exception):
    """A shape, or an answer, that only botocore's own parser may judge."""


def _to_bool(text: str) -> bool:
    return text == "true"


def _to_datetime(text: str) -> datetime:
    if text.endswith("Z") and len(text) >= len("2006-01-02T15:04:05Z"):
        return datetime.fromisoformat(text)
    from botocore.utils import parse_timestamp

    return parse_timestamp(text)


_CONVERTERS: dict[str, Callable[[str], object] | None] = {
    "string": None,
    "character": None,
    "boolean": _to_bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "timestamp": _to_datetime,
}
_SPECIAL = ("flattened", "location", "xmlAttribute", "eventheader", "streaming")


def compile_entry(name: str | None, shape: "Shape", done: dict[str, Inner]) -> Entry:
    """Turn a botocore shape into an entry. Raises Unplanned for what needs more than element names."""
    if any(word in shape.serialization for word in _SPECIAL) or shape.metadata.get("union"):
        raise Unplanned(shape.name)
    if shape.type_name in _CONVERTERS:
        return (name, _CONVERTERS[shape.type_name], None)
    if shape.name not in done:
        _compile_inner(shape, done)
    return (name, None, done[shape.name])


def _compile_inner(shape: "Shape", done: dict[str, Inner]) -> None:
    """Put the shape into `done`, before its members: shapes may hold themselves."""
    if shape.type_name == "structure":
        fields = Fields()
        done[shape.name] = Inner(fields, struct=True)
        for name, member in cast("StructureShape", shape).members.items():
            fields[member.serialization.get("name") or name] = compile_entry(name, member, done)
    elif shape.type_name == "list":
        fields = Fields()
        done[shape.name] = Inner(fields, struct=False)
        item = cast("ListShape", shape).member
        fields.other = compile_entry(None, item, done)
        fields[item.serialization.get("name") or "member"] = fields.other
    elif shape.type_name == "map":
        held = cast("MapShape", shape)
        key = held.key.serialization.get("name") or "key"
        value = held.value.serialization.get("name") or "value"
        pair = Fields()
        pair[key] = compile_entry(key, held.key, done)
        pair[value] = compile_entry(value, held.value, done)
        entry = Inner(pair, struct=True)
        done[shape.name] = Inner(Fields((None, None, entry)), struct=False, pair=(key, value))
    else:
        raise Unplanned(shape.name)


def parse(body: bytes, root: Inner) -> dict[str, Any]:  # noqa: C901, PLR0915 - see below
    """Parse a whole body. Raises ExpatError, ValueError, KeyError or Unplanned when it is not as planned.

    Closures over plain variables: methods on an object would take half as long again. Most elements are text, so
    those touch no stack.
    """
    fields = Fields((None, None, root))
    value: Any = []
    outer: list[dict[str, Any]] = value
    stack: list[tuple[Fields, Any]] = []
    maps: list[tuple[Any, str | None, Any, tuple[str, str]]] = []
    leaf: Entry | None = None
    text = ""

    def start(tag: str, _: list[str]) -> None:
        nonlocal fields, value, leaf, text
        if leaf is not None:
            raise Unplanned(tag)  # Text with elements in it.
        entry = fields[tag]
        name, _convert, inner = entry
        if inner is None:
            leaf = entry
            text = ""
            return
        fresh: Any = {} if inner.struct else []
        if name is None:
            if inner is not _SKIPPED:
                value.append(fresh)
        elif name in value:
            raise Unplanned(name)  # Repeated: botocore has rules for that, we do not.
        else:
            value[name] = fresh
        if inner.pair:
            maps.append((value, name, fresh, inner.pair))
        stack.append((fields, value))
        fields = inner.fields
        value = fresh

    def end(_: str) -> None:
        nonlocal fields, value, leaf
        if leaf is None:
            fields, value = stack.pop()
            return
        name, convert, _inner = leaf
        leaf = None
        if name is None:
            value.append(convert(text) if convert else text)
        elif name in value:
            raise Unplanned(name)
        else:
            value[name] = convert(text) if convert else text

    def characters(data: str) -> None:
        nonlocal text
        text = text + data if text else data

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.Parse(body, True)
    _finish_maps(maps)
    return outer[0]


def _finish_maps(maps: list[tuple[Any, str | None, Any, tuple[str, str]]]) -> None:
    """Turn the entries of each map into a dictionary, the innermost first."""
    for above, name, entries, (key, value) in reversed(maps):
        if name is None:
            raise Unplanned("a list of maps")
        above[name] = {one[key]: one[value] for one in entries}


_REQUEST = "ResponseMetadata"


def _root(protocol: str, shape: "Shape") -> tuple[Inner, str]:
    """The outermost element, and the name of the element around the result (`query` only)."""
    _, _, plan = compile_entry(None, shape, {})
    if plan is None:
        raise Unplanned(shape.name)
    if protocol == "ec2":
        plan.fields["requestId"] = (_REQUEST, None, None)
        return plan, ""
    wrapper = shape.serialization["resultWrapper"]
    metadata, fields = Fields(), Fields()
    metadata["RequestId"] = ("RequestId", None, None)
    fields[_REQUEST] = (_REQUEST, None, Inner(metadata, struct=True))
    fields[wrapper] = (wrapper, None, plan)
    return Inner(fields, struct=True), wrapper


class FastAnswers:
    """The `before-parse` handler. Plans are compiled once an operation and may be shared between threads."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], tuple[Inner, str] | None] = {}

    def install(self, client: "BaseClient") -> None:
        """Register with a client."""
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-parse.{service}.*", self)

    def __call__(
        self,
        *,
        operation_model: "OperationModel",
        response_dict: dict[str, Any],
        customized_response_dict: dict[str, Any],
        **_: object,
    ) -> None:
        """Parse an answer, or leave it to botocore: errors always, and all that goes against the plan."""
        planned = self._plan(operation_model)
        if planned is None or response_dict["status_code"] >= 300:
            return
        root, wrapper = planned
        try:
            found = parse(response_dict["body"], root)
            request = found.pop(_REQUEST, None)
            result = found[wrapper] if wrapper else found
        except (expat.ExpatError, ValueError, KeyError, TypeError, Unplanned):
            return
        customized_response_dict.update(result)
        response_dict["body"] = _stub(wrapper, request)

    def _plan(self, operation_model: "OperationModel") -> tuple[Inner, str] | None:
        service = operation_model.service_model
        key = (service.service_name, operation_model.name)
        if key not in self._plans:
            self._plans[key] = None
            protocol = service.resolved_protocol
            if protocol in {"ec2", "query"} and operation_model.output_shape is not None:
                with suppress(Unplanned, KeyError):
                    self._plans[key] = _root(protocol, operation_model.output_shape)
        return self._plans[key]


def _stub(wrapper: str, request: str | Mapping[str, str] | None) -> bytes:
    """The smallest answer from which botocore reads the same metadata."""
    if not wrapper:
        told = f"<requestId>{escape(request)}</requestId>" if isinstance(request, str) else ""
        return f"<r>{told}</r>".encode()
    told = ""
    if isinstance(request, Mapping):
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in request.items())
        told = f"<{_REQUEST}>{inner}</{_REQUEST}>"
    return f"<r><{wrapper}/>{told}</r>".encode()
