"""What the calls of an AWS API have in common: paging, pace and the name of the permission.

Page sizes are the maxima of the service models. Without MaxResults EC2 throttles harder (a bucket of 50, refilled
with 10 a second), so a size is always given. Paces: EC2 documents, per API, account and region, a bucket of 100
refilled with 20 a second for Describe* ("Request throttling for the Amazon EC2 API"); we take a quarter of the rate
and a tenth of the bucket. ELB and RDS publish no numbers; those are kept low for the whole service.
"""

from collections.abc import Callable

from exposure_audit.collect.contract import Answers, Call, Pace, Paging, Parameters, PerResource
from exposure_audit.model.inventory import Noun

EC2_PACE = Pace(rate=5.0, burst=10, shared=False)
SERVICE_PACE = Pace(rate=8.0, burst=10, shared=True)

Resources = Callable[[Answers], dict[str, Parameters] | None]


def pascal(operation: str) -> str:
    """`describe_instances` -> `DescribeInstances`, the spelling of policies."""
    return "".join(word.capitalize() for word in operation.split("_"))


def ec2(
    operation: str,
    *results: str,
    size: int = 1000,
    yields: tuple[Noun, ...] = (),
    optional: bool = False,
    per: PerResource | None = None,
) -> Call:
    """A call of the EC2 API; size 0 for one without pages."""
    return Call(
        service="ec2",
        operation=operation,
        results=results,
        permission=f"ec2:{pascal(operation)}",
        yields=yields,
        pace=EC2_PACE,
        paging=Paging("MaxResults", size, "NextToken", "NextToken") if size else None,
        per=per,
        optional=optional,
    )


def balancing(
    service: str,
    operation: str,
    *results: str,
    size: int = 400,
    yields: tuple[Noun, ...] = (),
    per: PerResource | None = None,
) -> Call:
    """A call of one of the two Elastic Load Balancing APIs, `elb` and `elbv2`; size 0 without pages."""
    return Call(
        service=service,
        operation=operation,
        results=results,
        permission=f"elasticloadbalancing:{pascal(operation)}",
        yields=yields,
        pace=SERVICE_PACE,
        paging=Paging("PageSize", size, "Marker", "NextMarker") if size else None,
        per=per,
    )


def rds(operation: str, *results: str, permission: str, yields: tuple[Noun, ...] = ()) -> Call:
    """A call of the RDS API."""
    return Call(
        service="rds",
        operation=operation,
        results=results,
        permission=permission,
        yields=yields,
        pace=SERVICE_PACE,
        paging=Paging("MaxRecords", 100, "Marker", "Marker"),
    )
