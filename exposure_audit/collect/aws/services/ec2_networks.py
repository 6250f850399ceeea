"""EC2 VPCs and subnets, with VPC Block Public Access.

`BlockPublicAccessStates.InternetGatewayBlockMode` is the effective value, exclusions included. An answer without
it comes from an API that does not know the switch: nothing is blocked by it.
"""

import msgspec

from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.services.ec2_acls import acls_by_subnet
from exposure_audit.collect.aws.shapes import CidrCheck, State
from exposure_audit.collect.contract import Answers, Service
from exposure_audit.model.inventory import Inventory, Network, Subnet


class BlockStates(msgspec.Struct, frozen=True):
    """`off`, `block-bidirectional` or `block-ingress`."""

    InternetGatewayBlockMode: str = "off"


class CidrAssociation(msgspec.Struct, frozen=True):
    """A further IPv4 block of a VPC."""

    CidrBlock: str = ""
    CidrBlockState: State = State()


class Ipv6Association(msgspec.Struct, frozen=True):
    """An IPv6 block of a VPC or subnet."""

    Ipv6CidrBlock: str = ""
    Ipv6CidrBlockState: State = State()


class Vpc(msgspec.Struct, frozen=True):
    """A network."""

    VpcId: str
    CidrBlock: str = ""
    CidrBlockAssociationSet: tuple[CidrAssociation, ...] = ()
    Ipv6CidrBlockAssociationSet: tuple[Ipv6Association, ...] = ()
    BlockPublicAccessStates: BlockStates = BlockStates()


class Vpcs(msgspec.Struct, frozen=True):
    """ec2.describe_vpcs."""

    Vpcs: tuple[Vpc, ...]


class SubnetAnswer(msgspec.Struct, frozen=True):
    """A subnet."""

    SubnetId: str
    VpcId: str
    CidrBlock: str = ""
    Ipv6CidrBlockAssociationSet: tuple[Ipv6Association, ...] = ()
    MapPublicIpOnLaunch: bool = False
    AvailabilityZone: str = ""
    BlockPublicAccessStates: BlockStates = BlockStates()


class Subnets(msgspec.Struct, frozen=True):
    """ec2.describe_subnets."""

    Subnets: tuple[SubnetAnswer, ...]


VPCS = ec2("describe_vpcs", "Vpcs", yields=("network",))
SUBNETS = ec2("describe_subnets", "Subnets", yields=("subnet",))
_OUT_OF_USE = {"disassociating", "disassociated", "failing", "failed"}
_BLOCKS = {"off": False, "block-bidirectional": True, "block-ingress": True}


def _ipv6(associations: tuple[Ipv6Association, ...]) -> list[str]:
    return [one.Ipv6CidrBlock for one in associations if one.Ipv6CidrBlockState.State not in _OUT_OF_USE]


def _network(answers: Answers, vpc: Vpc, is_cidr: CidrCheck) -> Network:
    cidrs = [vpc.CidrBlock]
    cidrs += [one.CidrBlock for one in vpc.CidrBlockAssociationSet if one.CidrBlockState.State not in _OUT_OF_USE]
    cidrs += _ipv6(vpc.Ipv6CidrBlockAssociationSet)
    return Network(
        id=answers.place.id("vpc", vpc.VpcId),
        native_id=vpc.VpcId,
        cidrs=tuple(sorted({cidr for cidr in cidrs if cidr and is_cidr(cidr)})),
        ingress_block=_BLOCKS.get(vpc.BlockPublicAccessStates.InternetGatewayBlockMode),
    )


def parse(answers: Answers) -> Inventory:
    """Networks and subnets."""
    vpcs = answers.one(VPCS.name, Vpcs)
    subnets = answers.one(SUBNETS.name, Subnets)
    acls = acls_by_subnet(answers)
    is_network, is_subnet = CidrCheck(answers, VPCS.name), CidrCheck(answers, SUBNETS.name)
    place = answers.place
    return Inventory(
        networks=tuple(_network(answers, vpc, is_network) for vpc in (vpcs.Vpcs if vpcs else ())),
        subnets=tuple(
            Subnet(
                id=place.id("subnet", one.SubnetId),
                native_id=one.SubnetId,
                network=place.id("vpc", one.VpcId),
                cidrs=tuple(
                    cidr
                    for cidr in (one.CidrBlock, *_ipv6(one.Ipv6CidrBlockAssociationSet))
                    if cidr and is_subnet(cidr)
                ),
                filters=acls.get(one.SubnetId),
                assigns_public=one.MapPublicIpOnLaunch,
                ingress_block=_BLOCKS.get(one.BlockPublicAccessStates.InternetGatewayBlockMode),
            )
            for one in (subnets.Subnets if subnets else ())
        ),
    )


SERVICE = Service(name="ec2_networks", calls=(VPCS, SUBNETS), parse=parse)
