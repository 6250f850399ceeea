"""Who we are and which regions there are: asked first, once per account."""

import msgspec

from exposure_audit.collect.aws.api import EC2_PACE, SERVICE_PACE
from exposure_audit.collect.contract import Answers, Call, Service
from exposure_audit.model.inventory import Inventory


class CallerIdentity(msgspec.Struct, frozen=True):
    """sts.get_caller_identity."""

    Account: str
    Arn: str = ""


class Region(msgspec.Struct, frozen=True):
    """A region, and whether the account may use it."""

    RegionName: str
    OptInStatus: str = "opt-in-not-required"


class Regions(msgspec.Struct, frozen=True):
    """ec2.describe_regions."""

    Regions: tuple[Region, ...]


IDENTITY = Call(
    service="sts",
    operation="get_caller_identity",
    results=("UserId", "Account", "Arn"),
    pace=SERVICE_PACE,
    scope="global",
    optional=True,
)
REGIONS = Call(
    service="ec2",
    operation="describe_regions",
    results=("Regions",),
    permission="ec2:DescribeRegions",
    pace=EC2_PACE,
    parameters={"AllRegions": True},
    scope="global",
    optional=True,
)


def parse(answers: Answers) -> Inventory:
    """Nothing is exposed by these two, but a broken file is still worth a coverage row."""
    answers.one(IDENTITY.name, CallerIdentity)
    answers.one(REGIONS.name, Regions)
    return Inventory()


SERVICE = Service(name="account", calls=(IDENTITY, REGIONS), parse=parse)
