"""The JSON Schema of rule files: editors complete facts, operators and words, and mark what means nothing."""

from collections.abc import Mapping
from typing import Any

from exposure_audit.judge import facts
from exposure_audit.judge.facts import Details, Fact
from exposure_audit.judge.operators import OPERATORS
from exposure_audit.judge.read import ID, OUTCOMES
from exposure_audit.judge.rows import SUBJECTS
from exposure_audit.model.finding import SEVERITIES

Schema = dict[str, Any]

_NO_DETAILS: Details = {}
_TEXT: Schema = {"type": "string", "minLength": 1}
_PORT: Schema = {"type": "integer", "minimum": 0, "maximum": 65535}
_OPEN_ENDED = r"^asset\.(tag|detail)\..+"
_SERVICE_DETAIL = r"^[a-z0-9-]+\.[a-z0-9_]+$"


def rule_schema(details: Mapping[str, Mapping[str, type]] = _NO_DETAILS) -> Schema:
    """Return the schema, draft 2020-12. With the details of the probes their facts are completed too."""
    known = {name: facts.find(name, details) for name in facts.names(details) if not name.endswith(".")}
    told = {name: fact for name, fact in known.items() if fact is not None}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "exposure-audit rule",
        "description": "One rule a file; the id is the file's name.",
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "title", "severity", "for", "when", "why", "fix", "references", "examples"],
        "properties": {
            "id": {"type": "string", "pattern": f"^{ID.pattern}$", "description": "The file's name without .yaml."},
            "title": {**_TEXT, "description": "What is wrong, in one line."},
            "severity": {"enum": list(SEVERITIES)},
            "for": _one_or_more({"enum": list(SUBJECTS)}, "The subjects that the rule is asked of."),
            "when": {"$ref": "#/$defs/condition"},
            "why": {**_TEXT, "description": "Why it matters, in a few sentences."},
            "fix": _fix(),
            "references": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "pattern": r"^https://\S+$"},
            },
            "checklist": {**_TEXT, "description": "The checklist item that a finding fails."},
            "tags": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^{ID.pattern}$"}},
            "examples": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/example"}},
        },
        "$defs": {"condition": _condition(told, details), "example": _example(told, details)},
    }


def _fix() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["summary"],
        "properties": {
            "summary": _TEXT,
            "commands": {"type": "array", "minItems": 1, "items": _TEXT},
            "terraform": _TEXT,
        },
    }


def _one_or_more(one: Schema, description: str = "") -> Schema:
    either: Schema = {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}
    return {**either, "description": description} if description else either


def _value(fact: Fact) -> Schema:
    """The schema of one value of a fact, as rules write it."""
    if fact.kind == "choice":
        return {"enum": list(fact.choices)}
    by_kind: dict[str, Schema] = {"flag": {"type": "boolean"}, "number": {"type": "number"}, "ports": _PORT}
    return by_kind.get(fact.kind, _TEXT)


def _matcher(fact: Fact) -> Schema:
    value = _value(fact)
    operands: dict[str, Schema] = {
        "at_least": {"type": "number"},
        "at_most": {"type": "number"},
        "contains": _one_or_more(_PORT),
        "equals": value,
        "in": {"type": "array", "minItems": 1, "items": value},
        "matches": _one_or_more(_TEXT),
        "not_in": {"type": "array", "minItems": 1, "items": value},
        "present": {"type": "boolean"},
        "version_in": _one_or_more(_TEXT),
        "within": _one_or_more(_TEXT),
    }
    suits = {
        name: {**operands[name], "description": operator.about}
        for name, operator in OPERATORS.items()
        if fact.kind in operator.kinds
    }
    operators: Schema = {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": suits}
    listed = {"in", "contains"} & set(suits)
    short = [value, {"type": "array", "minItems": 1, "items": value}] if listed else [value]
    return {"description": fact.about, "anyOf": [*short, operators]}


def _any_text() -> Fact:
    found = facts.find("asset.tag.any", {})
    assert found is not None  # noqa: S101 - the family is open-ended
    return found


def _condition(known: Mapping[str, Fact], details: Details) -> Schema:
    nested: Schema = {"$ref": "#/$defs/condition"}
    many: Schema = {"type": "array", "minItems": 1, "items": nested}
    patterns: dict[str, Schema] = {_OPEN_ENDED: _matcher(_any_text())}
    if not details:
        patterns[_SERVICE_DETAIL] = {}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "all": {**many, "description": "Every part holds."},
            "any": {**many, "description": "At least one part holds."},
            "not": {**nested, "description": "The part does not hold."},
            **{name: _matcher(fact) for name, fact in known.items()},
        },
        "patternProperties": patterns,
    }


def _example(known: Mapping[str, Fact], details: Details) -> Schema:
    given: dict[str, Schema] = {}
    for name, fact in known.items():
        value = (
            {"anyOf": [_PORT, {"type": "string", "pattern": r"^\d+-\d+$"}]}
            if fact.kind == "ports"
            else _value(fact)
        )
        given[name] = {"anyOf": [value, {"type": "null"}], "description": f"{fact.about} null: unknown."}
    patterns: dict[str, Schema] = {_OPEN_ENDED: {"type": ["string", "null"]}}
    if not details:
        patterns[_SERVICE_DETAIL] = {}
    said: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": given,
        "patternProperties": patterns,
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": dict.fromkeys(OUTCOMES, said),
    }
