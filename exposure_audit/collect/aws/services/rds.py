"""RDS, and what shares its API: Aurora, DocumentDB, Neptune. Instances have the endpoints; clusters group them."""

import msgspec

from exposure_audit.collect.aws.api import rds
from exposure_audit.collect.aws.services.ec2_interfaces import interfaces_of
from exposure_audit.collect.aws.shapes import Tags, to_dict
from exposure_audit.collect.contract import Answers, Service
from exposure_audit.model.inventory import Asset, Door, Inventory


class DbEndpoint(msgspec.Struct, frozen=True):
    """A DNS name and port; absent while the instance is created."""

    Address: str = ""
    Port: int = 0


class Zone(msgspec.Struct, frozen=True):
    """An availability zone by name."""

    Name: str = ""


class GroupSubnet(msgspec.Struct, frozen=True):
    """A subnet of a subnet group."""

    SubnetIdentifier: str
    SubnetAvailabilityZone: Zone = Zone()


class SubnetGroup(msgspec.Struct, frozen=True):
    """The subnets that an instance may be placed in."""

    VpcId: str = ""
    Subnets: tuple[GroupSubnet, ...] = ()


class GroupMembership(msgspec.Struct, frozen=True):
    """A security group of the instance."""

    VpcSecurityGroupId: str
    Status: str = "active"


class DbInstance(msgspec.Struct, frozen=True):
    """A database instance."""

    DBInstanceIdentifier: str
    DBInstanceStatus: str
    Engine: str
    PubliclyAccessible: bool
    VpcSecurityGroups: tuple[GroupMembership, ...]
    EngineVersion: str = ""
    DBInstanceClass: str = ""
    DBClusterIdentifier: str = ""
    AvailabilityZone: str = ""
    Endpoint: DbEndpoint | None = None
    DBSubnetGroup: SubnetGroup = SubnetGroup()
    IAMDatabaseAuthenticationEnabled: bool = False
    TagList: Tags = ()


class DbInstances(msgspec.Struct, frozen=True):
    """rds.describe_db_instances."""

    DBInstances: tuple[DbInstance, ...]


class DbCluster(msgspec.Struct, frozen=True):
    """A database cluster."""

    DBClusterIdentifier: str
    Status: str = ""
    Engine: str = ""
    EngineVersion: str = ""
    Endpoint: str = ""
    TagList: Tags = ()


class DbClusters(msgspec.Struct, frozen=True):
    """rds.describe_db_clusters."""

    DBClusters: tuple[DbCluster, ...]


INSTANCES = rds(
    "describe_db_instances", "DBInstances", permission="rds:DescribeDBInstances", yields=("asset", "door")
)
CLUSTERS = rds("describe_db_clusters", "DBClusters", permission="rds:DescribeDBClusters", yields=("asset",))

_SPEAKS = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "aurora": "mysql",
    "aurora-mysql": "mysql",
    "postgres": "postgresql",
    "aurora-postgresql": "postgresql",
    "docdb": "mongodb",
    "neptune": "neptune",
}
_NEVER_PUBLIC = {"docdb"}
"""DocumentDB endpoints exist inside VPCs only, whatever the flag says."""

# RDS guide, "Viewing DB instance status": in these nothing answers. In all others, `backing-up`, `modifying` or
# `storage-full` among them, the endpoint is or may be there.
_DOWN = {
    "creating",
    "deleting",
    "deleted",
    "failed",
    "insufficient-capacity",
    "restore-error",
    "stopped",
    "stopping",
}
_DOWN_PREFIXES = ("inaccessible-encryption-credentials", "incompatible-network", "incompatible-restore")


def _down(status: str) -> bool:
    return status in _DOWN or status.startswith(_DOWN_PREFIXES)


def _speaks(engine: str) -> str:
    if engine in _SPEAKS:
        return _SPEAKS[engine]
    # oracle-ee, custom-oracle-ee, sqlserver-ex, db2-se…
    return next((name for name in ("oracle", "sqlserver", "db2") if name in engine), engine)


def _subnets(answers: Answers, one: DbInstance, groups: set[str]) -> tuple[str, ...]:
    """The subnet of the instance's interface when only one fits, else all that it may be in.

    Interfaces of RDS name no instance; groups, zone and subnet group narrow them down.
    """
    possible = {subnet.SubnetIdentifier for subnet in one.DBSubnetGroup.Subnets}
    found = {
        interface.SubnetId
        for interface in interfaces_of(answers)
        if interface.Description == "RDSNetworkInterface"
        and interface.SubnetId in possible
        and interface.AvailabilityZone == one.AvailabilityZone
        and {group.GroupId for group in interface.Groups} == groups
    }
    if len(found) != 1:
        here = [
            subnet
            for subnet in one.DBSubnetGroup.Subnets
            if subnet.SubnetAvailabilityZone.Name == one.AvailabilityZone
        ]
        found = {subnet.SubnetIdentifier for subnet in here} or possible
    return tuple(sorted(answers.place.id("subnet", subnet) for subnet in found))


def _door(answers: Answers, one: DbInstance, endpoint: DbEndpoint) -> Door:
    place = answers.place
    groups = {held.VpcSecurityGroupId for held in one.VpcSecurityGroups if held.Status != "removing"}
    vpc = one.DBSubnetGroup.VpcId
    return Door(
        id=place.id("db-instance", one.DBInstanceIdentifier),
        native_id=one.DBInstanceIdentifier,
        service=_speaks(one.Engine),
        dns_name=endpoint.Address,
        port=endpoint.Port,
        public=one.PubliclyAccessible and one.Engine not in _NEVER_PUBLIC,
        network=place.id("vpc", vpc) if vpc else "",
        subnets=_subnets(answers, one, groups),
        filters=tuple(sorted(place.id("security-group", group) for group in groups)),
        live=not _down(one.DBInstanceStatus),
        why_not_live=f"the database is {one.DBInstanceStatus}" if _down(one.DBInstanceStatus) else "",
    )


def _instance_asset(answers: Answers, one: DbInstance) -> Asset:
    place = answers.place
    details = {
        "engine": one.Engine,
        "version": one.EngineVersion,
        "class": one.DBInstanceClass,
        "cluster": one.DBClusterIdentifier,
        "zone": one.AvailabilityZone,
        "publicly_accessible": "true" if one.PubliclyAccessible else "false",
        "iam_authentication": "true" if one.IAMDatabaseAuthenticationEnabled else "false",
    }
    return Asset(
        id=place.id("db-instance", one.DBInstanceIdentifier),
        kind="db-instance",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.DBInstanceIdentifier,
        name=one.DBInstanceIdentifier,
        state=one.DBInstanceStatus,
        tags=to_dict(one.TagList),
        details={key: value for key, value in details.items() if value},
    )


def _cluster_asset(answers: Answers, one: DbCluster) -> Asset:
    place = answers.place
    details = {"engine": one.Engine, "version": one.EngineVersion, "endpoint": one.Endpoint}
    return Asset(
        id=place.id("db-cluster", one.DBClusterIdentifier),
        kind="db-cluster",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.DBClusterIdentifier,
        name=one.DBClusterIdentifier,
        state=one.Status,
        tags=to_dict(one.TagList),
        details={key: value for key, value in details.items() if value},
    )


def parse(answers: Answers) -> Inventory:
    """Databases as doors; clusters as assets, their endpoints are other names of the instances."""
    instances = answers.one(INSTANCES.name, DbInstances)
    clusters = answers.one(CLUSTERS.name, DbClusters)
    held = instances.DBInstances if instances else ()
    assets = [_instance_asset(answers, one) for one in held]
    assets += [_cluster_asset(answers, one) for one in (clusters.DBClusters if clusters else ())]
    doors = [_door(answers, one, one.Endpoint) for one in held if one.Endpoint and one.Endpoint.Address]
    return Inventory(assets=tuple(assets), doors=tuple(doors))


SERVICE = Service(name="rds", calls=(INSTANCES, CLUSTERS), parse=parse)
