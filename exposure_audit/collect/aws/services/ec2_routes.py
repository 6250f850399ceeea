"""EC2 route tables and the gateways that routes lead to."""

import msgspec

from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.shapes import CidrCheck, State
from exposure_audit.collect.contract import Answers, Place, Service
from exposure_audit.model.inventory import Gateway, Inventory, Route, RouteTable, RouteTarget


class RouteAnswer(msgspec.Struct, frozen=True):
    """One destination, and exactly one of the target fields."""

    State: str
    DestinationCidrBlock: str | None = None
    DestinationIpv6CidrBlock: str | None = None
    DestinationPrefixListId: str | None = None
    Origin: str = ""
    GatewayId: str | None = None
    EgressOnlyInternetGatewayId: str | None = None
    NatGatewayId: str | None = None
    NetworkInterfaceId: str | None = None
    InstanceId: str | None = None
    TransitGatewayId: str | None = None
    VpcPeeringConnectionId: str | None = None
    LocalGatewayId: str | None = None
    CarrierGatewayId: str | None = None
    CoreNetworkArn: str | None = None
    OdbNetworkArn: str | None = None


class Association(msgspec.Struct, frozen=True):
    """What a table serves: the VPC (main), a subnet, or a gateway (edge)."""

    Main: bool = False
    SubnetId: str | None = None
    GatewayId: str | None = None
    AssociationState: State = State()


class RouteTableAnswer(msgspec.Struct, frozen=True):
    """A table with its routes."""

    RouteTableId: str
    VpcId: str
    Routes: tuple[RouteAnswer, ...]
    Associations: tuple[Association, ...]


class RouteTables(msgspec.Struct, frozen=True):
    """ec2.describe_route_tables."""

    RouteTables: tuple[RouteTableAnswer, ...]


class Attachment(msgspec.Struct, frozen=True):
    """A gateway's VPC; the API says `available` where the SDK's model says `attached`."""

    VpcId: str = ""
    State: str = ""


class InternetGateway(msgspec.Struct, frozen=True):
    """A gateway that carries both ways."""

    InternetGatewayId: str
    Attachments: tuple[Attachment, ...]


class InternetGateways(msgspec.Struct, frozen=True):
    """ec2.describe_internet_gateways."""

    InternetGateways: tuple[InternetGateway, ...]


class EgressOnlyGateway(msgspec.Struct, frozen=True):
    """An IPv6 gateway that lets nothing in."""

    EgressOnlyInternetGatewayId: str
    Attachments: tuple[Attachment, ...] = ()


class EgressOnlyGateways(msgspec.Struct, frozen=True):
    """ec2.describe_egress_only_internet_gateways."""

    EgressOnlyInternetGateways: tuple[EgressOnlyGateway, ...]


class NatGateway(msgspec.Struct, frozen=True):
    """Answers leave through it with another address; nothing unsolicited comes in."""

    NatGatewayId: str
    VpcId: str = ""
    State: str = ""


class NatGateways(msgspec.Struct, frozen=True):
    """ec2.describe_nat_gateways."""

    NatGateways: tuple[NatGateway, ...]


# The API's maximum for route tables is 100, for egress-only gateways 255.
TABLES = ec2("describe_route_tables", "RouteTables", size=100, yields=("route-table",))
INTERNET = ec2("describe_internet_gateways", "InternetGateways", yields=("gateway",))
EGRESS_ONLY = ec2("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", size=255, optional=True)
NAT = ec2("describe_nat_gateways", "NatGateways", optional=True)

_ATTACHED = {"available", "attached"}
_TARGETS: tuple[tuple[str, RouteTarget, str], ...] = (
    ("EgressOnlyInternetGatewayId", "egress-only", "egress-only-internet-gateway"),
    ("NatGatewayId", "nat", "nat-gateway"),
    ("NetworkInterfaceId", "interface", "network-interface"),
    ("InstanceId", "interface", "instance"),
    ("TransitGatewayId", "private", ""),
    ("VpcPeeringConnectionId", "private", ""),
    ("LocalGatewayId", "private", ""),
    ("CarrierGatewayId", "private", ""),
    ("CoreNetworkArn", "private", ""),
    ("OdbNetworkArn", "private", ""),
)
"""Field of a route, what it means, and the kind of the asset id where we have a noun."""


def _gateway_target(place: Place, route: RouteAnswer, gateway: str) -> tuple[RouteTarget, str]:
    """`GatewayId` holds five kinds of things, told apart by their prefix."""
    if gateway == "local":
        return "local", gateway
    if gateway.startswith("igw-"):
        return "internet", place.id("internet-gateway", gateway)
    if gateway.startswith("vgw-"):
        return "private", gateway
    if gateway.startswith("vpce-"):
        # A prefix list leads to a gateway endpoint (S3, DynamoDB), a CIDR to a Gateway Load Balancer or firewall.
        return ("private" if route.DestinationPrefixListId else "middlebox"), gateway
    return "unknown", gateway


def _target(place: Place, route: RouteAnswer) -> tuple[RouteTarget, str]:
    if route.GatewayId:
        return _gateway_target(place, route, route.GatewayId)
    for field, target, kind in _TARGETS:
        native_id: str | None = getattr(route, field)
        if native_id:
            return target, place.id(kind, native_id) if kind else native_id
    return "unknown", ""


def _route(place: Place, route: RouteAnswer) -> Route:
    target, target_id = _target(place, route)
    active = route.State == "active"
    if route.DestinationPrefixListId:
        destination = place.id("prefix-list", route.DestinationPrefixListId)
    else:
        destination = route.DestinationCidrBlock or route.DestinationIpv6CidrBlock or ""
    return Route(
        destination=destination,
        target=target if active else "none",
        target_id=target_id,
        active=active,
        propagated=route.Origin == "EnableVgwRoutePropagation",
    )


def _table(answers: Answers, table: RouteTableAnswer, is_cidr: CidrCheck) -> RouteTable:
    place = answers.place
    used = [one for one in table.Associations if one.AssociationState.State in {"", "associated", "associating"}]
    routes = [_route(place, route) for route in table.Routes]
    return RouteTable(
        id=place.id("route-table", table.RouteTableId),
        native_id=table.RouteTableId,
        network=place.id("vpc", table.VpcId),
        main=any(one.Main for one in used),
        subnets=tuple(sorted(place.id("subnet", one.SubnetId) for one in used if one.SubnetId)),
        gateways=tuple(sorted(place.id(_edge_kind(one.GatewayId), one.GatewayId) for one in used if one.GatewayId)),
        routes=tuple(
            route for route in routes if route.destination.startswith(place.provider) or is_cidr(route.destination)
        ),
    )


def _edge_kind(gateway: str) -> str:
    return "internet-gateway" if gateway.startswith("igw-") else "gateway"


def _attached(place: Place, attachments: tuple[Attachment, ...]) -> tuple[str, ...]:
    return tuple(sorted(place.id("vpc", one.VpcId) for one in attachments if one.State in _ATTACHED))


def _gateways(answers: Answers) -> list[Gateway]:
    place = answers.place
    found: list[Gateway] = []
    internet = answers.one(INTERNET.name, InternetGateways)
    for gateway in internet.InternetGateways if internet else ():
        native_id = gateway.InternetGatewayId
        networks = _attached(place, gateway.Attachments)
        asset_id = place.id("internet-gateway", native_id)
        found.append(Gateway(id=asset_id, native_id=native_id, kind="internet", networks=networks))
    outward = answers.one(EGRESS_ONLY.name, EgressOnlyGateways)
    for one in outward.EgressOnlyInternetGateways if outward else ():
        native_id = one.EgressOnlyInternetGatewayId
        networks = _attached(place, one.Attachments)
        asset_id = place.id("egress-only-internet-gateway", native_id)
        found.append(Gateway(id=asset_id, native_id=native_id, kind="egress-only", networks=networks))
    nat = answers.one(NAT.name, NatGateways)
    for translator in nat.NatGateways if nat else ():
        native_id = translator.NatGatewayId
        networks = (place.id("vpc", translator.VpcId),) if translator.State == "available" else ()
        found.append(
            Gateway(id=place.id("nat-gateway", native_id), native_id=native_id, kind="nat", networks=networks)
        )
    return found


def parse(answers: Answers) -> Inventory:
    """Route tables and gateways."""
    tables = answers.one(TABLES.name, RouteTables)
    is_cidr = CidrCheck(answers, TABLES.name)
    return Inventory(
        route_tables=tuple(_table(answers, one, is_cidr) for one in (tables.RouteTables if tables else ())),
        gateways=tuple(_gateways(answers)),
    )


SERVICE = Service(name="ec2_routes", calls=(TABLES, INTERNET, EGRESS_ONLY, NAT), parse=parse)
