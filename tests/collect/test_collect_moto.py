"""A believable estate in a moto server, collected over HTTP with real boto3, and read back.

moto hands out addresses of the real internet; here they are data and nothing talks to them.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from exposure_audit.collect.aws.run import collect_aws
from exposure_audit.collect.read import read_inventory
from exposure_audit.model.inventory import Inventory


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Inventory, dict[str, str]]]:
    from moto.server import ThreadedMotoServer

    patch = pytest.MonkeyPatch()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        folder = tmp_path_factory.mktemp("snapshot")
        ids = _build("eu-west-1")
        rows = collect_aws(folder, regions=("eu-west-1", "us-east-1"), clock=lambda: "2026-01-01T00:00:00Z")
        assert [row for row in rows if row.status != "ok"] == []
        inventory = read_inventory(folder)
        assert inventory.coverage == rows
        yield inventory, ids
    finally:
        server.stop()
        patch.undo()


def _build(region: str) -> dict[str, str]:
    import boto3

    make: Any = boto3.Session(region_name=region).client
    ec2, balancing, databases = make("ec2"), make("elbv2"), make("rds")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    office = ec2.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "203.0.113.0/24"}]
    )["PrefixList"]["PrefixListId"]
    group = ec2.create_security_group(GroupName="cache", Description="cache", VpcId=vpc)["GroupId"]
    ports = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379}
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {**ports, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "PrefixListIds": [{"PrefixListId": office}]}
        ],
    )
    instance = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnets[0],
        SecurityGroupIds=[group],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "cache-1"}]}],
    )["Instances"][0]["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    spare = ec2.allocate_address(Domain="vpc")["AllocationId"]
    balancer = balancing.create_load_balancer(Name="web", Subnets=subnets, Scheme="internet-facing")[
        "LoadBalancers"
    ][0]
    target_group = balancing.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
    balancing.register_targets(
        TargetGroupArn=target_group["TargetGroupArn"], Targets=[{"Id": instance, "Port": 8123}]
    )
    balancing.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group["TargetGroupArn"]}],
    )
    databases.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="u",
        MasterUserPassword="password-of-a-test",
        AllocatedStorage=20,
        PubliclyAccessible=True,
    )
    return {
        "instance": instance,
        "address": address["PublicIp"],
        "spare": spare,
        "group": group,
        "table": table,
        "gateway": gateway,
        "subnet": subnets[0],
        "office": office,
    }


PLACE = "aws:123456789012:eu-west-1"


def test_the_instance_with_its_address_and_firewall(estate: tuple[Inventory, dict[str, str]]) -> None:
    inventory, ids = estate
    (asset,) = [one for one in inventory.assets if one.kind == "instance"]
    assert (asset.id, asset.name, asset.state) == (f"{PLACE}:instance/{ids['instance']}", "cache-1", "running")
    (interface,) = [one for one in inventory.interfaces if one.asset == asset.id]
    assert [(one.address, one.kind) for one in interface.addresses] == [(ids["address"], "elastic")]
    assert interface.filters == (f"{PLACE}:security-group/{ids['group']}",)
    assert (interface.live, interface.subnet) == (True, f"{PLACE}:subnet/{ids['subnet']}")
    assert [one.native_id for one in inventory.idle_addresses] == [ids["spare"]]


def test_rules_with_the_ids_that_aws_gave_them(estate: tuple[Inventory, dict[str, str]]) -> None:
    inventory, ids = estate
    (group,) = [one for one in inventory.filters if one.native_id == ids["group"]]
    world, office = group.ingress
    assert world.native_id.startswith("sgr-")
    assert (world.protocol, world.port_from, world.cidrs) == (6, 6379, ("0.0.0.0/0",))
    assert office.address_lists == (f"{PLACE}:prefix-list/{ids['office']}",)
    lists = {one.native_id: one.entries for one in inventory.address_lists}
    assert lists[ids["office"]] == ("203.0.113.0/24",)


def test_the_way_out(estate: tuple[Inventory, dict[str, str]]) -> None:
    inventory, ids = estate
    (table,) = [one for one in inventory.route_tables if one.native_id == ids["table"]]
    assert [(one.destination, one.target) for one in table.routes] == [
        ("10.1.0.0/16", "local"),
        ("0.0.0.0/0", "internet"),
    ]
    assert table.subnets == (f"{PLACE}:subnet/{ids['subnet']}",)
    (subnet,) = [one for one in inventory.subnets if one.native_id == ids["subnet"]]
    assert subnet.filters
    assert subnet.filters[0] in {one.id for one in inventory.filters}


def test_the_balancer_leads_to_the_instance(estate: tuple[Inventory, dict[str, str]]) -> None:
    inventory, ids = estate
    (front,) = inventory.fronts
    assert (front.public, front.kind, front.live) == (True, "application", True)
    assert front.listeners
    (listener,) = front.listeners
    assert listener.targets
    assert [(one.asset, one.port) for one in listener.targets] == [(f"{PLACE}:instance/{ids['instance']}", 8123)]


def test_the_database(estate: tuple[Inventory, dict[str, str]]) -> None:
    (door,) = estate[0].doors
    assert (door.native_id, door.service, door.port, door.public) == ("orders", "postgresql", 5432, True)


def test_another_region_is_looked_at_too(estate: tuple[Inventory, dict[str, str]]) -> None:
    assert {row.region for row in estate[0].coverage} == {"eu-west-1", "global", "us-east-1"}
