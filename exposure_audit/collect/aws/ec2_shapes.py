"""What EC2 says of instances, interfaces and addresses; only the fields that are used."""

import msgspec

from exposure_audit.collect.aws.shapes import Tags as TagList


class Group(msgspec.Struct, frozen=True):
    """A security group by id."""

    GroupId: str


class PublicIp(msgspec.Struct, frozen=True):
    """The public address of a private one. Carrier addresses (CarrierIp) take nothing from the internet."""

    PublicIp: str = ""
    AllocationId: str = ""


class PrivateIp(msgspec.Struct, frozen=True):
    """A primary or secondary private address."""

    PrivateIpAddress: str = ""
    Association: PublicIp | None = None


class Ipv6(msgspec.Struct, frozen=True):
    """An IPv6 address; globally unique or unique local."""

    Ipv6Address: str


class Attached(msgspec.Struct, frozen=True):
    """What an interface is attached to; InstanceId is absent for services."""

    Status: str
    InstanceId: str = ""
    DeviceIndex: int | None = None


class Ipv6Prefix(msgspec.Struct, frozen=True):
    """A delegated prefix: the interface serves every address in it."""

    Ipv6Prefix: str


class NetworkInterface(msgspec.Struct, frozen=True):
    """An elastic network interface."""

    NetworkInterfaceId: str
    Status: str
    Groups: tuple[Group, ...]
    PrivateIpAddresses: tuple[PrivateIp, ...]
    SubnetId: str = ""
    VpcId: str = ""
    AvailabilityZone: str = ""
    Association: PublicIp | None = None
    Attachment: Attached | None = None
    DenyAllIgwTraffic: bool = False
    Description: str = ""
    InterfaceType: str = "interface"
    Ipv6Addresses: tuple[Ipv6, ...] = ()
    Ipv6Prefixes: tuple[Ipv6Prefix, ...] = ()
    PrivateIpAddress: str = ""
    RequesterId: str = ""
    RequesterManaged: bool = False
    TagSet: TagList = ()


class NetworkInterfaces(msgspec.Struct, frozen=True):
    """ec2.describe_network_interfaces."""

    NetworkInterfaces: tuple[NetworkInterface, ...]


class InstanceState(msgspec.Struct, frozen=True):
    """`pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`."""

    Name: str


class Zone(msgspec.Struct, frozen=True):
    """Where an instance is placed."""

    AvailabilityZone: str = ""


class Profile(msgspec.Struct, frozen=True):
    """The role that an instance carries: what an intruder would hold."""

    Arn: str = ""


class Instance(msgspec.Struct, frozen=True):
    """A virtual machine."""

    InstanceId: str
    State: InstanceState
    InstanceType: str = ""
    ImageId: str = ""
    PlatformDetails: str = ""
    PrivateIpAddress: str = ""
    Placement: Zone = Zone()
    IamInstanceProfile: Profile = Profile()
    NetworkInterfaces: tuple[NetworkInterface, ...] = ()
    Tags: TagList = ()


class Reservation(msgspec.Struct, frozen=True):
    """Instances that were launched together."""

    Instances: tuple[Instance, ...]


class Instances(msgspec.Struct, frozen=True):
    """ec2.describe_instances."""

    Reservations: tuple[Reservation, ...]


class Address(msgspec.Struct, frozen=True):
    """An elastic address."""

    PublicIp: str
    AllocationId: str = ""
    AssociationId: str = ""
    InstanceId: str = ""
    NetworkInterfaceId: str = ""
    Tags: TagList = ()

    @property
    def in_use(self) -> bool:
        """Whether it is associated with anything."""
        return bool(self.AssociationId or self.InstanceId or self.NetworkInterfaceId)


class Addresses(msgspec.Struct, frozen=True):
    """ec2.describe_addresses."""

    Addresses: tuple[Address, ...]


def as_interfaces(instance: Instance) -> tuple[NetworkInterface, ...]:
    """The interfaces of an instance as describe_network_interfaces would give them, as far as it tells."""
    return tuple(
        msgspec.structs.replace(
            one,
            Attachment=msgspec.structs.replace(
                one.Attachment or Attached(Status="attached"), InstanceId=instance.InstanceId
            ),
        )
        for one in instance.NetworkInterfaces
    )
