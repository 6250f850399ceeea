"""Reachability of a large world: 2,000 instances, 1,000 security groups of 50 rules, 3 regions.

    python benchmarks/analysis.py                       # times find_exposures alone, without any file
    python benchmarks/analysis.py --snapshot DIR        # writes the same world as a snapshot folder, and stops

The world is made of a seed. One half of the instances has a public address; of the rules of a group two thirds
speak of private addresses or other groups, one third of the internet or small parts of it, as real groups do.
"""

import argparse
import json
import random
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from exposure_audit.model.inventory import (
    Coverage,
    Filter,
    Gateway,
    Interface,
    Inventory,
    Network,
    Noun,
    PublicAddress,
    Route,
    RouteTable,
    Rule,
    Subnet,
)
from exposure_audit.reach.run import find_exposures

ACCOUNT = "111111111111"
REGIONS = ("eu-west-1", "us-east-1", "ap-southeast-1")
SUBNETS = 8
EVERYWHERE = "0.0.0.0/0"


class Opening(NamedTuple):
    """One rule of a group."""

    protocol: str
    low: int
    high: int
    cidr: str
    group: str = ""


class Machine(NamedTuple):
    """An instance with one interface."""

    number: int
    subnet: int
    groups: tuple[str, ...]
    public: str


class Region(NamedTuple):
    """What a region holds."""

    name: str
    groups: dict[str, tuple[Opening, ...]]
    machines: tuple[Machine, ...]


def _openings(dice: random.Random, names: list[str], rules: int) -> Iterator[Opening]:
    web = dice.random() < 0.3
    for i in range(rules):
        port = dice.choice((22, 80, 443, 3306, 5432, 6379, 8123, 9000, 9200, 11211)) if i < 10 else 10_000 + 40 * i
        high = port if dice.random() < 0.7 else port + dice.randrange(1, 30)
        kind = dice.random()
        protocol = "udp" if dice.random() < 0.1 else "tcp"
        if i < 2 and web:
            yield Opening("tcp", (80, 443)[i], (80, 443)[i], EVERYWHERE)
        elif kind < 0.45:
            yield Opening(protocol, port, high, f"10.{dice.randrange(256)}.{dice.randrange(256)}.0/24")
        elif kind < 0.67:
            yield Opening(protocol, port, high, "", dice.choice(names))
        elif kind < 0.97:
            yield Opening(protocol, port, high, f"203.0.{dice.randrange(256)}.{dice.randrange(256)}/32")
        else:
            yield Opening(protocol, port, high, EVERYWHERE)


def make_world(instances: int = 2000, groups: int = 1000, rules: int = 50, seed: int = 7) -> list[Region]:
    """Draw the world; the same seed gives the same."""
    dice = random.Random(seed)
    found = []
    for r, name in enumerate(REGIONS):
        names = [f"sg-{r}{g:07d}" for g in range(r, groups, len(REGIONS))]
        tables = {one: tuple(_openings(dice, names, rules)) for one in names}
        machines = tuple(
            Machine(
                number,
                dice.randrange(SUBNETS),
                tuple(sorted(dice.sample(names, dice.choice((1, 1, 2, 3))))),
                f"198.51.{number // 250}.{number % 250 + 1}" if number % 2 else "",
            )
            for number in range(r, instances, len(REGIONS))
        )
        found.append(Region(name, tables, machines))
    return found


# --- as an inventory ---------------------------------------------------------------------------------------------


def _rule(here: str, group: str, number: int, opening: Opening) -> Rule:
    return Rule(
        native_id=f"sgr-{group[3:]}{number:03d}",
        protocol=17 if opening.protocol == "udp" else 6,
        port_from=opening.low,
        port_to=opening.high,
        cidrs=(opening.cidr,) if opening.cidr else (),
        groups=(f"{here}:security-group/{opening.group}",) if opening.group else (),
        text=f"allow {opening.protocol} {opening.low}-{opening.high} from {opening.cidr or opening.group}",
    )


def _filters(here: str, region: Region) -> Iterator[Filter]:
    for name, openings in region.groups.items():
        yield Filter(
            id=f"{here}:security-group/{name}",
            kind="security-group",
            native_id=name,
            semantics="union-of-allows",
            stateful=True,
            ingress=tuple(_rule(here, name, number, opening) for number, opening in enumerate(openings)),
        )
    entry = Rule(native_id="rule 100", order=100, cidrs=(EVERYWHERE,), text="allow all traffic from 0.0.0.0/0")
    yield Filter(
        id=f"{here}:network-acl/acl-1",
        kind="network-acl",
        native_id="acl-1",
        semantics="first-match",
        stateful=False,
        ingress=(entry,),
        egress=(entry,),
    )


def _interface(here: str, machine: Machine) -> Interface:
    private = f"10.0.{machine.subnet}.{machine.number // 24 % 250 + 1}"
    public = PublicAddress(address=machine.public, family="ipv4", private=private)
    return Interface(
        id=f"{here}:network-interface/eni-{machine.number:08d}",
        native_id=f"eni-{machine.number:08d}",
        asset=f"{here}:instance/i-{machine.number:08d}",
        device=0,
        network=f"{here}:vpc/vpc-1",
        subnet=f"{here}:subnet/subnet-{machine.subnet}",
        filters=tuple(f"{here}:security-group/{name}" for name in machine.groups),
        addresses=(public,) if machine.public else (),
        private_addresses=(private,),
    )


def make_inventory(world: list[Region]) -> Inventory:
    """The world as nouns."""
    lists: dict[str, list[Any]] = {field: [] for field in Inventory.__struct_fields__}
    nouns: tuple[Noun, ...] = ("interface", "filter", "route-table", "gateway", "subnet", "network")
    for region in world:
        here = f"aws:{ACCOUNT}:{region.name}"
        vpc, gateway = f"{here}:vpc/vpc-1", f"{here}:internet-gateway/igw-1"
        lists["networks"].append(Network(id=vpc, native_id="vpc-1", cidrs=("10.0.0.0/16",)))
        lists["gateways"].append(Gateway(id=gateway, native_id="igw-1", kind="internet", networks=(vpc,)))
        lists["subnets"] += [
            Subnet(
                id=f"{here}:subnet/subnet-{number}",
                native_id=f"subnet-{number}",
                network=vpc,
                cidrs=(f"10.0.{number}.0/24",),
                filters=(f"{here}:network-acl/acl-1",),
            )
            for number in range(SUBNETS)
        ]
        out = Route(destination=EVERYWHERE, target="internet", target_id=gateway)
        local = Route(destination="10.0.0.0/16", target="local")
        lists["route_tables"].append(
            RouteTable(
                id=f"{here}:route-table/rtb-1", native_id="rtb-1", network=vpc, main=True, routes=(local, out)
            )
        )
        lists["filters"] += _filters(here, region)
        lists["interfaces"] += [_interface(here, machine) for machine in region.machines]
        lists["coverage"].append(
            Coverage(provider="aws", account=ACCOUNT, region=region.name, call="all", status="ok", yields=nouns)
        )
    return Inventory(**{field: tuple(items) for field, items in lists.items()})


# --- as a snapshot folder ----------------------------------------------------------------------------------------


def _permission(opening: Opening) -> dict[str, Any]:
    return {
        "IpProtocol": opening.protocol,
        "FromPort": opening.low,
        "ToPort": opening.high,
        "IpRanges": [{"CidrIp": opening.cidr}] if opening.cidr else [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [{"GroupId": opening.group, "UserId": ACCOUNT}] if opening.group else [],
    }


def _group_rules(name: str, openings: tuple[Opening, ...]) -> Iterator[dict[str, Any]]:
    for number, opening in enumerate(openings):
        rule: dict[str, Any] = {
            "SecurityGroupRuleId": f"sgr-{name[3:]}{number:03d}",
            "GroupId": name,
            "GroupOwnerId": ACCOUNT,
            "IsEgress": False,
            "IpProtocol": opening.protocol,
            "FromPort": opening.low,
            "ToPort": opening.high,
        }
        if opening.cidr:
            rule["CidrIpv4"] = opening.cidr
        else:
            rule["ReferencedGroupInfo"] = {"GroupId": opening.group, "UserId": ACCOUNT}
        yield rule


def _eni(machine: Machine) -> dict[str, Any]:
    private = f"10.0.{machine.subnet}.{machine.number // 24 % 250 + 1}"
    association = {"PublicIp": machine.public, "IpOwnerId": "amazon"} if machine.public else None
    address: dict[str, Any] = {"PrivateIpAddress": private, "Primary": True}
    found: dict[str, Any] = {
        "NetworkInterfaceId": f"eni-{machine.number:08d}",
        "Status": "in-use",
        "SubnetId": f"subnet-{machine.subnet}",
        "VpcId": "vpc-1",
        "OwnerId": ACCOUNT,
        "PrivateIpAddress": private,
        "InterfaceType": "interface",
        "RequesterManaged": False,
        "SourceDestCheck": True,
        "Description": "",
        "Groups": [{"GroupId": name, "GroupName": name} for name in machine.groups],
        "Ipv6Addresses": [],
        "TagSet": [],
        "Attachment": {
            "AttachmentId": f"eni-attach-{machine.number:08d}",
            "DeviceIndex": 0,
            "Status": "attached",
            "InstanceId": f"i-{machine.number:08d}",
        },
    }
    if association:
        found["Association"] = address["Association"] = association
    found["PrivateIpAddresses"] = [address]
    return found


def _instance(machine: Machine) -> dict[str, Any]:
    eni = _eni(machine)
    return {
        "InstanceId": f"i-{machine.number:08d}",
        "ImageId": "ami-1",
        "InstanceType": "m7g.large",
        "State": {"Code": 16, "Name": "running"},
        "PrivateIpAddress": eni["PrivateIpAddress"],
        "SubnetId": eni["SubnetId"],
        "VpcId": "vpc-1",
        "Placement": {"AvailabilityZone": "a"},
        "SecurityGroups": eni["Groups"],
        "NetworkInterfaces": [eni],
        "Tags": [{"Key": "Name", "Value": f"machine-{machine.number}"}, {"Key": "env", "Value": "prod"}],
    }


def _network_answers() -> dict[str, Any]:
    subnets = range(SUBNETS)
    entries = [
        {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": egress, "CidrBlock": EVERYWHERE}
        for egress in (False, True)
        for number, action in ((100, "allow"), (32767, "deny"))
    ]
    routes = [
        {
            "DestinationCidrBlock": "10.0.0.0/16",
            "GatewayId": "local",
            "State": "active",
            "Origin": "CreateRouteTable",
        },
        {"DestinationCidrBlock": EVERYWHERE, "GatewayId": "igw-1", "State": "active", "Origin": "CreateRoute"},
    ]
    off = {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"}}
    return {
        "ec2.describe_vpcs": {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", **off}]},
        "ec2.describe_subnets": {
            "Subnets": [
                {"SubnetId": f"subnet-{n}", "VpcId": "vpc-1", "CidrBlock": f"10.0.{n}.0/24", **off} for n in subnets
            ]
        },
        "ec2.describe_network_acls": {
            "NetworkAcls": [
                {
                    "NetworkAclId": "acl-1",
                    "VpcId": "vpc-1",
                    "IsDefault": True,
                    "Entries": entries,
                    "Associations": [{"SubnetId": f"subnet-{n}", "NetworkAclId": "acl-1"} for n in subnets],
                }
            ]
        },
        "ec2.describe_route_tables": {
            "RouteTables": [
                {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes, "Associations": [{"Main": True}]}
            ]
        },
        "ec2.describe_internet_gateways": {
            "InternetGateways": [
                {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}
            ]
        },
    }


def answers(region: Region) -> dict[str, Any]:
    """What the API of a region says, by call."""
    groups = [
        {
            "GroupId": name,
            "GroupName": name,
            "Description": "",
            "OwnerId": ACCOUNT,
            "VpcId": "vpc-1",
            "IpPermissions": [_permission(opening) for opening in openings],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}],
        }
        for name, openings in region.groups.items()
    ]
    rules = [rule for name, openings in region.groups.items() for rule in _group_rules(name, openings)]
    return _network_answers() | {
        "ec2.describe_instances": {
            "Reservations": [
                {"ReservationId": f"r-{one.number}", "Instances": [_instance(one)]} for one in region.machines
            ]
        },
        "ec2.describe_network_interfaces": {"NetworkInterfaces": [_eni(one) for one in region.machines]},
        "ec2.describe_addresses": {"Addresses": []},
        "ec2.describe_security_groups": {"SecurityGroups": groups},
        "ec2.describe_security_group_rules": {"SecurityGroupRules": rules},
        "ec2.describe_managed_prefix_lists": {"PrefixLists": []},
        "ec2.get_managed_prefix_list_entries": {},
        "elb.describe_load_balancers": {"LoadBalancerDescriptions": []},
        "elbv2.describe_load_balancers": {"LoadBalancers": []},
        "elbv2.describe_listeners": {},
        "elbv2.describe_rules": {},
        "elbv2.describe_target_groups": {"TargetGroups": []},
        "elbv2.describe_target_group_attributes": {},
        "elbv2.describe_target_health": {},
        "rds.describe_db_instances": {"DBInstances": []},
        "rds.describe_db_clusters": {"DBClusters": []},
    }


def write_snapshot(folder: Path, world: list[Region]) -> None:
    """Write the world in the shapes of boto3: `aws/<account>/<region>/<service>.<call>.json`."""
    for region in world:
        place = folder / "aws" / ACCOUNT / region.name
        place.mkdir(parents=True, exist_ok=True)
        for call, answer in answers(region).items():
            (place / f"{call}.json").write_text(json.dumps(answer))


# --- the figures -------------------------------------------------------------------------------------------------


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure, or write the snapshot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--snapshot", type=Path)
    options = parser.parse_args()
    world = make_world(options.instances, options.groups, options.rules)
    if options.snapshot:
        write_snapshot(options.snapshot, world)
        print(f"written: {options.snapshot}")
        return
    inventory = make_inventory(world)
    before = _megabytes()
    found = find_exposures(inventory)
    grown = _megabytes() - before
    times = []
    for _ in range(options.rounds):
        start = time.process_time()
        find_exposures(inventory)
        times.append(time.process_time() - start)
    cpu = statistics.median(times)
    dormant = sum(item.dormant for item in found)
    print(
        f"{options.instances} instances, {options.groups} groups of {options.rules} rules, {len(REGIONS)} regions"
    )
    print(f"exposures {len(found) - dormant}, dormant {dormant}")
    print(
        f"find_exposures: {cpu:.3f} s CPU (median of {options.rounds}), {cpu / len(found) * 1e6:.1f} us an exposure"
    )
    print(f"memory: {grown:.0f} MB more than the {before:.0f} MB of program and inventory")


if __name__ == "__main__":
    main()
