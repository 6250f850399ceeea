"""EC2 instances, network interfaces and elastic addresses.

`describe_network_interfaces` is the authority on addresses: it knows secondary interfaces, secondary addresses
and the interfaces of services, which instances do not. The state of an instance decides whether its interfaces
are live.
"""

from exposure_audit.collect.aws import ec2_shapes as shapes
from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.shapes import name_tag, to_dict
from exposure_audit.collect.contract import Answers, Place, Service
from exposure_audit.model.addresses import AddressSet, parse_cidr
from exposure_audit.model.internet import PUBLIC
from exposure_audit.model.inventory import Asset, Interface, Inventory, PublicAddress

INSTANCES = ec2("describe_instances", "Reservations", yields=("asset", "interface"))
INTERFACES = ec2("describe_network_interfaces", "NetworkInterfaces", yields=("interface", "address"))
ADDRESSES = ec2("describe_addresses", "Addresses", size=0, yields=("address",))

_NAT = {"nat_gateway", "natGateway"}
_BALANCERS = {"network_load_balancer", "gateway_load_balancer", "load_balancer"}


def interfaces_of(answers: Answers) -> tuple[shapes.NetworkInterface, ...]:
    """The interfaces as the API gave them, for other services to find theirs."""
    read = answers.one(INTERFACES.name, shapes.NetworkInterfaces)
    return read.NetworkInterfaces if read else ()


def _instance_asset(place: Place, one: shapes.Instance) -> Asset:
    details = {
        "type": one.InstanceType,
        "image": one.ImageId,
        "platform": one.PlatformDetails,
        "zone": one.Placement.AvailabilityZone,
        "private_address": one.PrivateIpAddress,
        "profile": one.IamInstanceProfile.Arn,
    }
    return Asset(
        id=place.id("instance", one.InstanceId),
        kind="instance",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.InstanceId,
        name=name_tag(one.Tags),
        state=one.State.Name,
        tags=to_dict(one.Tags),
        details={key: value for key, value in details.items() if value},
    )


def _interface_asset(place: Place, one: shapes.NetworkInterface) -> Asset:
    details = {"description": one.Description, "type": one.InterfaceType, "requester": one.RequesterId}
    return Asset(
        id=place.id("network-interface", one.NetworkInterfaceId),
        kind="network-interface",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.NetworkInterfaceId,
        name=name_tag(one.TagSet) or one.Description,
        state=one.Status,
        tags=to_dict(one.TagSet),
        details={key: value for key, value in details.items() if value},
    )


def _service(one: shapes.NetworkInterface) -> str:
    """Which service with a noun of its own owns the interface.

    A description alone proves nothing, anybody can write one: AWS must say that it manages the interface.
    """
    if one.InterfaceType in _NAT:
        return "nat"
    if one.InterfaceType in _BALANCERS:
        return "elb"
    if not one.RequesterManaged:
        return ""
    if one.Description.startswith("ELB "):
        return "elb"
    return "rds" if one.Description == "RDSNetworkInterface" else ""


def _owner(place: Place, one: shapes.NetworkInterface, service: str) -> str:
    """The asset that an interface belongs to; the interface itself when nobody is known."""
    if one.Attachment and one.Attachment.InstanceId:
        return place.id("instance", one.Attachment.InstanceId)
    if service == "elb" and one.Description.startswith("ELB "):
        return place.id("load-balancer", one.Description.removeprefix("ELB "))
    return place.id("network-interface", one.NetworkInterfaceId)


def _addresses(one: shapes.NetworkInterface) -> tuple[PublicAddress, ...]:
    """Public IPv4 addresses of every private one, and every IPv6 address of the public space.

    Raises ValueError when one of them is no address.
    """
    found: dict[str, PublicAddress] = {}
    pairs = [(held.PrivateIpAddress, held.Association) for held in one.PrivateIpAddresses]
    for private, association in (*pairs, (one.PrivateIpAddress, one.Association)):
        if association and association.PublicIp:
            parse_cidr(association.PublicIp)
            found.setdefault(
                association.PublicIp,
                PublicAddress(
                    address=association.PublicIp,
                    family="ipv4",
                    private=private,
                    kind="elastic" if association.AllocationId else "automatic",
                    native_id=association.AllocationId,
                ),
            )
    for six in one.Ipv6Addresses:
        if AddressSet.of(six.Ipv6Address) & PUBLIC:
            found[six.Ipv6Address] = PublicAddress(
                address=six.Ipv6Address, family="ipv6", private=six.Ipv6Address, kind="ipv6"
            )
    # A delegated prefix is one address of this list, written as the CIDR that it is.
    for delegated in one.Ipv6Prefixes:
        if AddressSet.of(delegated.Ipv6Prefix) & PUBLIC:
            found[delegated.Ipv6Prefix] = PublicAddress(
                address=delegated.Ipv6Prefix, family="ipv6", private=delegated.Ipv6Prefix, kind="ipv6"
            )
    return tuple(found[address] for address in sorted(found))


def _life(one: shapes.NetworkInterface, states: dict[str, str]) -> str:
    """Why an interface is not live; empty when it is. An instance of unknown state counts as running."""
    if one.Status != "in-use":
        return f"the interface is {one.Status}"
    if not one.Attachment or one.Attachment.Status != "attached":
        return "the interface is not attached"
    state = states.get(one.Attachment.InstanceId, "running")
    return "" if state == "running" else f"the instance is {state}"


def _interface(answers: Answers, one: shapes.NetworkInterface, states: dict[str, str]) -> Interface:
    place = answers.place
    service = _service(one)
    why = _life(one, states)
    try:
        addresses = _addresses(one)
    except ValueError as error:
        answers.reject(INTERFACES.name, f"{one.NetworkInterfaceId}: {error}")
        addresses = ()
    private = {held.PrivateIpAddress for held in one.PrivateIpAddresses} | {one.PrivateIpAddress}
    private |= {six.Ipv6Address for six in one.Ipv6Addresses}
    return Interface(
        id=place.id("network-interface", one.NetworkInterfaceId),
        native_id=one.NetworkInterfaceId,
        asset=_owner(place, one, service),
        device=one.Attachment.DeviceIndex if one.Attachment else None,
        network=place.id("vpc", one.VpcId) if one.VpcId else "",
        subnet=place.id("subnet", one.SubnetId) if one.SubnetId else "",
        filters=tuple(sorted(place.id("security-group", group.GroupId) for group in one.Groups)),
        addresses=addresses,
        private_addresses=tuple(sorted(address for address in private if address)),
        live=not why,
        why_not_live=why,
        # API reference, NetworkInterface.DenyAllIgwTraffic: inbound traffic from the internet is dropped.
        inbound=service != "nat" and not one.DenyAllIgwTraffic,
        service=service,
    )


def _idle(place: Place, one: shapes.Address) -> Asset:
    return Asset(
        id=place.id("elastic-ip", one.AllocationId or one.PublicIp),
        kind="elastic-ip",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.AllocationId or one.PublicIp,
        name=name_tag(one.Tags),
        state="idle",
        tags=to_dict(one.Tags),
        details={"address": one.PublicIp},
    )


def parse(answers: Answers) -> Inventory:
    """Instances, interfaces and idle addresses.

    When interfaces could not be read, those that the instances mention are used; what else there is stays unknown.
    """
    place = answers.place
    read = answers.one(INSTANCES.name, shapes.Instances)
    instances = [one for group in (read.Reservations if read else ()) for one in group.Instances]
    states = {one.InstanceId: one.State.Name for one in instances}
    held = answers.one(INTERFACES.name, shapes.NetworkInterfaces)
    if held:
        seen = held.NetworkInterfaces
    else:
        seen = tuple(part for one in instances for part in shapes.as_interfaces(one))
        answers.note(INTERFACES.name, f"the {len(seen)} interfaces that {INSTANCES.name} mentions are used")
    interfaces = tuple(_interface(answers, one, states) for one in seen)
    # Terminated instances are listed for another hour; they are gone.
    assets = [_instance_asset(place, one) for one in instances if one.State.Name != "terminated"]
    assets += [
        _interface_asset(place, raw) for raw, one in zip(seen, interfaces, strict=True) if one.asset == one.id
    ]
    listed = answers.one(ADDRESSES.name, shapes.Addresses)
    free = [one for one in (listed.Addresses if listed else ()) if not one.in_use]
    return Inventory(
        assets=tuple(assets), interfaces=interfaces, idle_addresses=tuple(_idle(place, one) for one in free)
    )


SERVICE = Service(name="ec2_interfaces", calls=(INSTANCES, INTERFACES, ADDRESSES), parse=parse)
