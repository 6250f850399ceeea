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

_TEXT, _STRUCT, _LIST, _MAP, _SKIP = range(5)
Plan = tuple[int, Any]
"""(kind, detail): a converter or None for text, fields by tag for a structure, an item's plan for a list, the
plan of an entry and the names of key and value for a map."""
_IGNORE: Plan = (_SKIP, None)


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


def compile_plan(shape: "Shape", done: dict[str, Plan] | None = None) -> Plan:
    """Turn a botocore shape into a plan. Raises Unplanned for what needs more than element names."""
    done = {} if done is None else done
    if shape.name in done:
        return done[shape.name]
    if any(word in shape.serialization for word in _SPECIAL) or shape.metadata.get("union"):
        raise Unplanned(shape.name)
    kind = shape.type_name
    if kind == "structure":
        structure = cast("StructureShape", shape)
        fields: dict[str, tuple[str, Plan]] = {}
        plan: Plan = (_STRUCT, fields)
        done[shape.name] = plan  # Before its members: shapes may hold themselves.
        for name, member in structure.members.items():
            fields[member.serialization.get("name") or name] = (name, compile_plan(member, done))
        return plan
    if kind == "list":
        return (_LIST, compile_plan(cast("ListShape", shape).member, done))
    if kind == "map":
        pairs = cast("MapShape", shape)
        key = pairs.key.serialization.get("name") or "key"
        value = pairs.value.serialization.get("name") or "value"
        entry = {key: (key, compile_plan(pairs.key, done)), value: (value, compile_plan(pairs.value, done))}
        return (_MAP, ((_STRUCT, entry), key, value))
    if kind not in _CONVERTERS:
        raise Unplanned(shape.name)
    return (_TEXT, _CONVERTERS[kind])


def parse(body: bytes, root: Plan) -> dict[str, Any]:  # noqa: C901, PLR0915 - closures: half the time of methods
    """Parse a whole body. Raises ExpatError, ValueError, KeyError or Unplanned when it is not as planned."""
    stack: list[tuple[int, Any, Any, str]] = []
    kind: int = _LIST
    detail: Any = root
    value: Any = []
    outer: list[Any] = value
    name = ""
    text = ""

    def start(tag: str, _: list[str]) -> None:
        nonlocal kind, detail, value, name, text
        stack.append((kind, detail, value, name))
        if kind == _STRUCT:
            entry = detail.get(tag) or detail.get(tag.partition(":")[2])
            if entry is None:
                kind, detail = _IGNORE
                return
            name, (inner_kind, detail) = entry
            if name in value:
                raise Unplanned(name)  # Repeated: botocore has rules for that, we do not.
        elif kind == _LIST:
            inner_kind, detail = detail
        elif kind == _MAP:
            inner_kind, detail = detail[0]
        elif kind == _TEXT:
            raise Unplanned(tag)  # Text with elements in it.
        else:
            kind, detail = _IGNORE
            return
        text = ""
        if inner_kind == _TEXT:
            kind = _TEXT
            return
        fresh: Any = {} if inner_kind == _STRUCT else []
        if kind == _STRUCT:
            value[name] = fresh
        else:
            value.append(fresh)
        value = fresh
        kind = inner_kind

    def end(_: str) -> None:
        nonlocal kind, detail, value, name, text
        above_kind, above_detail, above, above_name = stack.pop()
        if kind == _TEXT:
            found = text if detail is None else detail(text)
            if above_kind == _STRUCT:
                above[name] = found
            else:
                above.append(found)
        elif kind == _MAP:
            _, key, item = detail
            finished = {pair[key]: pair[item] for pair in value}
            if above_kind == _STRUCT:
                above[name] = finished
            else:
                above[-1] = finished
        kind, detail, value, name = above_kind, above_detail, above, above_name

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
    found: dict[str, Any] = outer[0]
    return found


_REQUEST = "ResponseMetadata"


def _root_plan(protocol: str, shape: "Shape") -> tuple[Plan, str]:
    """The plan of the outermost element, and the name of the element around the result (`query` only)."""
    plan = compile_plan(shape)
    if protocol == "ec2":
        return (_STRUCT, {**plan[1], "requestId": (_REQUEST, (_TEXT, None))}), ""
    wrapper = shape.serialization["resultWrapper"]
    metadata: Plan = (_STRUCT, {"RequestId": ("RequestId", (_TEXT, None))})
    return (_STRUCT, {wrapper: (wrapper, plan), _REQUEST: (_REQUEST, metadata)}), wrapper


class FastAnswers:
    """The `before-parse` handler. Plans are compiled once an operation and may be shared between threads."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], tuple[Plan, str] | None] = {}

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

    def _plan(self, operation_model: "OperationModel") -> tuple[Plan, str] | None:
        service = operation_model.service_model
        key = (service.service_name, operation_model.name)
        if key not in self._plans:
            self._plans[key] = None
            protocol = service.resolved_protocol
            if protocol in {"ec2", "query"} and operation_model.output_shape is not None:
                with suppress(Unplanned, KeyError):
                    self._plans[key] = _root_plan(protocol, operation_model.output_shape)
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
