"""The tables, and what is printed from them."""

import subprocess
import sys
from pathlib import Path

from exposure_audit.collect.aws import services
from exposure_audit.collect.aws.catalog import SERVICES
from exposure_audit.collect.catalog import CLOUDS
from exposure_audit.collect.policy import UNKNOWN_WITHOUT, aws_policy, missing
from exposure_audit.model.inventory import Coverage

CALLS = [call for service in SERVICES.values() for call in service.calls]


def test_one_file_a_service_and_one_line_a_file() -> None:
    files = {path.stem for path in Path(services.__path__[0]).glob("[!_]*.py")}
    recipe = "copy the nearest file in collect/aws/services/ and add its line to collect/aws/catalog.py"
    assert set(SERVICES) == files, recipe
    assert all(SERVICES[name].name == name for name in SERVICES)
    assert list(SERVICES) == sorted(SERVICES)


def test_calls_page_as_the_models_say() -> None:
    from botocore.session import get_session

    session = get_session()
    for call in CALLS:
        model = session.get_service_model(call.service)
        wanted = call.operation.replace("_", "").lower()
        operation = next(model.operation_model(n) for n in model.operation_names if n.lower() == wanted)
        assert operation.input_shape
        assert operation.output_shape
        asked, answered = operation.input_shape.members, operation.output_shape.members
        assert {*call.results} <= set(answered), call.name
        assert {*call.parameters} <= set(asked), call.name
        if call.paging:
            assert {call.paging.size_parameter, call.paging.parameter} <= set(asked), call.name
            assert call.paging.token in answered, call.name
            largest = asked[call.paging.size_parameter].metadata.get("max", call.paging.size)
            assert call.paging.size <= largest, call.name
        else:
            assert "NextToken" not in answered, call.name
        if call.permission:
            assert call.permission.endswith(f":{operation.name}")


def test_names_are_unique_and_needs_exist() -> None:
    names = [call.name for call in CALLS]
    assert len(names) == len(set(names))
    assert all(need in names for call in CALLS if call.per for need in call.per.needs)


def test_the_policy_is_read_only_and_complete() -> None:
    (statement,) = aws_policy()["Statement"]
    actions = statement["Action"]
    assert all(action.partition(":")[2].startswith(("Describe", "Get")) for action in actions)
    assert set(actions) == {call.permission for call in CALLS if call.permission}
    assert {"ec2:GetManagedPrefixListEntries", "elasticloadbalancing:DescribeRules"} <= set(actions)
    assert CLOUDS["aws"].policy() == aws_policy()


def test_what_is_missing_is_said_with_its_consequence() -> None:
    def row(**changes: object) -> Coverage:
        base = {
            "provider": "aws",
            "account": "1",
            "region": "r",
            "call": "ec2.describe_subnets",
            "status": "denied",
        }
        return Coverage(**{**base, **changes})  # type: ignore[arg-type]

    assert missing([row(status="ok")]) == ()
    (line,) = missing([row(yields=("subnet",), detail="UnauthorizedOperation: no")])
    assert line == (
        "denied: aws 1 r ec2.describe_subnets - UnauthorizedOperation: no - allow ec2:DescribeSubnets - "
        f"unknown without it: {UNKNOWN_WITHOUT['subnet']}"
    )
    assert missing([row(status="skipped")]) == ("skipped: aws 1 r ec2.describe_subnets - no answer depends on it",)


def test_reading_a_snapshot_loads_no_sdk() -> None:
    code = (
        "import sys; from exposure_audit.collect.read import read_inventory; from pathlib import Path;"
        "read_inventory(Path('fixtures/cloud/aws/web-shop'));"
        "print([name for name in ('boto3', 'botocore', 'urllib3') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
