"""The fast parser returns what botocore's own parser returns, for every call of the catalog."""

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from exposure_audit.collect.aws.catalog import SERVICES
from exposure_audit.collect.aws.expat import FastAnswers

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape
    from botocore.session import Session

OPERATIONS = sorted({(call.service, call.operation) for service in SERVICES.values() for call in service.calls})
OPERATIONS.append(("sts", "assume_role"))


@cache
def _session() -> "Session":
    from botocore.session import get_session

    return get_session()


def _operation(service: str, operation: str) -> "OperationModel":
    model = _session().get_service_model(service)
    wanted = operation.replace("_", "").lower()
    return next(model.operation_model(name) for name in model.operation_names if name.lower() == wanted)


_TEXTS = {
    "string": "a &amp; b &lt;c&gt; é",
    "boolean": "true",
    "integer": "42",
    "long": "-1",
    "double": "1.5",
    "float": "0.25",
    "timestamp": "2026-01-05T10:11:12.345Z",
}


def _xml(shape: "Shape", depth: int) -> str:
    """An answer in which every member is there; lists hold two items, and what is too deep is empty."""
    body: Any = shape
    if shape.type_name == "structure":
        members = body.members.items() if depth else ()
        return "\n ".join(
            f"<{m.serialization.get('name') or name}>{_xml(m, depth - 1)}</{m.serialization.get('name') or name}>"
            for name, m in members
        )
    if shape.type_name == "list":
        tag = body.member.serialization.get("name") or "member"
        return f"<{tag}>{_xml(body.member, depth - 1)}</{tag}>" * 2 if depth > 0 else ""
    if shape.type_name == "map":
        return "<entry><key>k1</key><value>v1</value></entry><entry><key>k2</key><value/></entry>"
    return _TEXTS[shape.type_name]


def _answer(model: "OperationModel", inner: str) -> bytes:
    wrapper = (model.output_shape.serialization if model.output_shape else {}).get("resultWrapper")
    if not wrapper:
        text = f'<r xmlns="http://ec2.amazonaws.com/doc/"><requestId>r-&lt;1</requestId>{inner}</r>'
    else:
        metadata = "<ResponseMetadata><RequestId>r-&lt;1</RequestId></ResponseMetadata>"
        text = f'<r xmlns="http://a/"><{wrapper}>{inner}</{wrapper}>{metadata}</r>'
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()


def _both(model: "OperationModel", body: bytes, status: int = 200) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """botocore's answer, ours laid over its stub as botocore does it, and whether ours was used."""
    from botocore.parsers import create_parser

    parser: Any = create_parser(model.service_model.resolved_protocol)
    plain = {"status_code": status, "headers": {"X-A": "b"}, "body": body}
    expected = parser.parse(dict(plain), model.output_shape)
    custom: dict[str, Any] = {}
    FastAnswers()(operation_model=model, response_dict=plain, customized_response_dict=custom)
    found = parser.parse(plain, model.output_shape)
    found.update(custom)
    return expected, found, plain["body"] is not body


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
@pytest.mark.parametrize("depth", [1, 2, 9])
def test_equal_to_botocore(service: str, operation: str, depth: int) -> None:
    model = _operation(service, operation)
    assert model.output_shape
    expected, found, used = _both(model, _answer(model, _xml(model.output_shape, depth)))
    assert used
    assert found == expected
    assert found["ResponseMetadata"]["RequestId"] == "r-<1"
    if depth == 9:
        assert len(expected) == len(model.output_shape.members) + 1


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<vpcSet/>",
        "<vpcSet><item/></vpcSet>",
        "<vpcSet><item><vpcId></vpcId><isDefault>false</isDefault></item></vpcSet>",
        "<vpcSet><item><vpcId> a\n </vpcId></item><!-- c --></vpcSet>",
        "<vpcSet><item><unknown><deep>1</deep></unknown><vpcId>v</vpcId></item></vpcSet>",
        "<vpcSet><item><vpcId><![CDATA[<x>]]>&#233;</vpcId></item></vpcSet>",
        "<surprise><vpcSet><item/></vpcSet></surprise><vpcSet/>",
        "<x:vpcSet xmlns:x='urn:x'><x:item><x:vpcId>v</x:vpcId></x:item></x:vpcSet>",
        # Ours leaves these to botocore: repeated members, text with elements in it.
        "<vpcSet><item><vpcId>1</vpcId></item></vpcSet><vpcSet><item><vpcId>2</vpcId></item></vpcSet>",
        "<vpcSet><item><vpcId>a<b/>c</vpcId></item></vpcSet>",
    ],
)
def test_equal_in_the_corners(inner: str) -> None:
    model = _operation("ec2", "describe_vpcs")
    expected, found, _ = _both(model, _answer(model, inner))
    assert found == expected


@pytest.mark.parametrize("body", [b"<html>", b"", b"<r><vpcSet><item></r>", b"\xff\xfe"])
def test_what_is_no_xml_is_left_to_botocore(body: bytes) -> None:
    model = _operation("ec2", "describe_vpcs")
    answer: dict[str, Any] = {"status_code": 200, "headers": {}, "body": body}
    custom: dict[str, Any] = {}
    FastAnswers()(operation_model=model, response_dict=answer, customized_response_dict=custom)
    assert answer["body"] is body
    assert custom == {}


def test_errors_are_left_to_botocore() -> None:
    model = _operation("ec2", "describe_vpcs")
    body = b"<Response><Errors><Error><Code>X</Code><Message>m</Message></Error></Errors></Response>"
    expected, found, used = _both(model, body, 400)
    assert not used
    assert found == expected
    assert found["Error"] == {"Code": "X", "Message": "m"}


def test_a_number_that_is_none_is_left_to_botocore() -> None:
    model = _operation("ec2", "describe_subnets")
    body = _answer(
        model, "<subnetSet><item><availableIpAddressCount>many</availableIpAddressCount></item></subnetSet>"
    )
    answer: dict[str, Any] = {"status_code": 200, "headers": {}, "body": body}
    FastAnswers()(operation_model=model, response_dict=answer, customized_response_dict={})
    assert answer["body"] is body


def test_another_protocol_is_left_to_botocore() -> None:
    model = _session().get_service_model("dynamodb").operation_model("ListTables")
    expected, found, used = _both(model, b'{"TableNames": ["a"]}')
    assert not used
    assert found == expected
