"""The demo estate: what a fast-growing company has in AWS, as data, and how it is put into moto.

Elastic addresses are loopback addresses (moto allocates them in 127/8), so real servers can stand behind them.
"""

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, TagTypeDef
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_rds import RDSClient

WORLD = "0.0.0.0/0"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
OFFICE = "203.0.113.0/24"


class Opening(msgspec.Struct, frozen=True):
    """One security group rule."""

    protocol: Literal["tcp", "udp", "icmp", "-1"]
    port_from: int
    port_to: int
    sources: tuple[str, ...] = (WORLD,)
    description: str = ""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An instance with an elastic address, and the real server behind it."""

    name: str
    story: str
    """What a reader learns from it."""
    openings: tuple[Opening, ...]
    server: str = ""
    """Name in `lab/servers/catalog.py`; empty: nothing listens."""
    variant: str = "open"
    subnet: Literal["public", "private", "guarded"] = "public"
    tags: dict[str, str] = {}
    region: str = "eu-central-1"


def tcp(*ports: int, sources: tuple[str, ...] = (WORLD,)) -> tuple[Opening, ...]:
    """Open single TCP ports."""
    return tuple(Opening("tcp", port, port, sources) for port in ports)


MACHINES: tuple[Machine, ...] = (
    Machine(
        name="ch-analytics",
        story="ClickHouse that answers anyone: the incident of January 2025",
        openings=tcp(8123, 9000, 9009),
        server="clickhouse",
        tags={"env": "prod", "team": "growth", "data": "chat-logs"},
    ),
    Machine(
        name="ch-billing",
        story="the same rules, but the server asks for a password",
        openings=tcp(8123, 9000),
        server="clickhouse",
        variant="locked",
        tags={"env": "prod", "team": "billing"},
    ),
    Machine(
        name="cache-sessions",
        story="Redis open to half the internet twice, which no string comparison sees",
        openings=tcp(6379, sources=HALVES),
        server="redis",
        tags={"env": "prod", "team": "platform"},
    ),
    Machine(
        name="cache-jobs",
        story="Redis with a password",
        openings=tcp(6379),
        server="redis",
        variant="locked",
        tags={"env": "prod", "team": "platform"},
    ),
    Machine(
        name="cache-staging",
        story="Redis in protected mode: one configuration change away",
        openings=tcp(6379),
        server="redis",
        variant="protected",
        tags={"env": "staging", "team": "platform"},
    ),
    Machine(
        name="memo-1",
        story="Memcached over TCP and UDP: readable by anyone, and a reflector",
        openings=(*tcp(11211), Opening("udp", 11211, 11211)),
        server="memcached",
        tags={"env": "prod", "team": "inference"},
        region="us-east-1",
    ),
    Machine(
        name="time-1",
        story="NTP that answers control queries from anywhere",
        openings=(Opening("udp", 123, 123),),
        server="ntp",
        tags={"env": "prod", "team": "platform"},
        region="us-east-1",
    ),
    Machine(
        name="search-1",
        story="a search engine without authentication",
        openings=tcp(9200),
        server="opensearch",
        tags={"env": "prod", "team": "search"},
        region="us-east-1",
    ),
    Machine(
        name="bastion",
        story="SSH open to the world; nothing listens today",
        openings=tcp(22),
        tags={"env": "prod", "team": "sre"},
    ),
    Machine(
        name="etl-worker",
        story="trap: an open rule and an open Redis, but the subnet has no route to the internet",
        openings=tcp(6379),
        server="redis",
        subnet="private",
        tags={"env": "prod", "team": "data"},
    ),
    Machine(
        name="notebook",
        story="trap: a public address and an open Redis, but no rule lets anyone in",
        openings=(),
        server="redis",
        tags={"env": "dev", "team": "research"},
    ),
    Machine(
        name="vault-cache",
        story="trap: an open rule, closed by the network ACL of its subnet",
        openings=tcp(6379),
        server="redis",
        subnet="guarded",
        tags={"env": "prod", "team": "security"},
    ),
    Machine(
        name="office-tool",
        story="reachable from the office only",
        openings=tcp(6379, sources=(OFFICE,)),
        server="redis",
        tags={"env": "dev", "team": "it"},
    ),
)
REGIONS = tuple(sorted({machine.region for machine in MACHINES}))


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, and the loopback address that the cloud gave it."""

    machine: Machine
    address: str
    instance: str


class Subnets(msgspec.Struct, frozen=True, kw_only=True):
    """What one region's network consists of."""

    network: str
    public: str
    private: str
    guarded: str


def build(endpoint: str, credentials: dict[str, str]) -> tuple[Placed, ...]:
    """Put the estate into the cloud at an endpoint; return where every machine landed."""
    import boto3

    placed: list[Placed] = []
    for region in REGIONS:
        session = boto3.Session(
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        )
        ec2 = session.client("ec2", endpoint_url=endpoint)
        subnets = _network(ec2)
        images = ec2.describe_images(Owners=["amazon"])["Images"]
        here = [machine for machine in MACHINES if machine.region == region]
        placed += [_machine(ec2, machine, subnets, images[0]["ImageId"]) for machine in here]
        _leftovers(ec2, subnets)
        if region == REGIONS[0]:
            elb = session.client("elbv2", endpoint_url=endpoint)
            _balancer(elb, subnets, next(one.instance for one in placed if one.machine.name == "etl-worker"))
            _database(session.client("rds", endpoint_url=endpoint), ec2, subnets)
    return tuple(placed)


def _network(ec2: "EC2Client") -> Subnets:
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    _name(ec2, vpc, "prod")
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    ids = {}
    for number, kind in enumerate(("public", "private", "guarded"), 1):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=zones[(number - 1) % len(zones)]
        )["Subnet"]["SubnetId"]
        _name(ec2, subnet, f"prod-{kind}")
        ids[kind] = subnet
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=gateway)
    for kind in ("public", "guarded"):
        ec2.associate_route_table(RouteTableId=table, SubnetId=ids[kind])
    _guard(ec2, vpc, ids["guarded"])
    return Subnets(network=vpc, **ids)


def _guard(ec2: "EC2Client", vpc: str, subnet: str) -> None:
    """A network ACL that lets nothing but HTTPS in: the rule below it is open in vain."""
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=100,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock=WORLD,
        PortRange={"From": 443, "To": 443},
    )
    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=True, CidrBlock=WORLD
    )
    for table in ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]:
        for association in table["Associations"]:
            if association["SubnetId"] == subnet:
                ec2.replace_network_acl_association(
                    AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
                )


def _group(ec2: "EC2Client", name: str, network: str, openings: tuple[Opening, ...]) -> str:
    group: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=network)["GroupId"]
    permissions: list[IpPermissionTypeDef] = [
        {
            "IpProtocol": opening.protocol,
            "FromPort": opening.port_from,
            "ToPort": opening.port_to,
            "IpRanges": [{"CidrIp": source, "Description": opening.description} for source in opening.sources],
        }
        for opening in openings
    ]
    if permissions:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return group


def _machine(ec2: "EC2Client", machine: Machine, subnets: Subnets, image: str) -> Placed:
    group = _group(ec2, machine.name, subnets.network, machine.openings)
    tags: list[TagTypeDef] = [
        {"Key": key, "Value": value} for key, value in {"Name": machine.name, **machine.tags}.items()
    ]
    instance = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="m6i.large",
        SubnetId=getattr(subnets, machine.subnet),
        SecurityGroupIds=[group],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    return Placed(machine=machine, address=address["PublicIp"], instance=instance)


def _leftovers(ec2: "EC2Client", subnets: Subnets) -> None:
    """What every grown account has: an open group that nobody uses, an address that nobody holds."""
    _group(ec2, "old-debug", subnets.network, (Opening("tcp", 0, 65535, description="remove after launch"),))
    ec2.allocate_address(Domain="vpc")


def _balancer(elb: "ElasticLoadBalancingv2Client", subnets: Subnets, instance: str) -> None:
    """A network load balancer that hands a private Redis to the internet."""
    balancer = elb.create_load_balancer(
        Name="edge", Subnets=[subnets.public], Scheme="internet-facing", Type="network"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="redis", Protocol="TCP", Port=6379, VpcId=subnets.network, TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 6379}])
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="TCP",
        Port=6379,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )


def _database(rds: "RDSClient", ec2: "EC2Client", subnets: Subnets) -> None:
    """A database that somebody made public to look at it from home."""
    group = _group(ec2, "db-public", subnets.network, tcp(5432))
    rds.create_db_subnet_group(
        DBSubnetGroupName="prod", DBSubnetGroupDescription="prod", SubnetIds=[subnets.public, subnets.guarded]
    )
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        MasterUsername="lab",
        MasterUserPassword="loopback-lab",
        AllocatedStorage=20,
        Port=5432,
        PubliclyAccessible=True,
        VpcSecurityGroupIds=[group],
        DBSubnetGroupName="prod",
    )


def _name(ec2: "EC2Client", resource: str, name: str) -> None:
    ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])
