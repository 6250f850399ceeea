"""EC2 network ACLs: stateless, numbered, the first match decides, for each direction."""

import msgspec

from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.shapes import CidrCheck, port_axis, protocol_number, traffic_text
from exposure_audit.collect.contract import Answers, Place, Service
from exposure_audit.model.inventory import Filter, Inventory, Rule


class Ports(msgspec.Struct, frozen=True):
    """Only tcp and udp entries carry one."""

    From: int
    To: int


class IcmpKind(msgspec.Struct, frozen=True):
    """Only icmp and icmpv6 entries carry one; -1 means all."""

    Type: int = -1
    Code: int = -1


class Entry(msgspec.Struct, frozen=True):
    """One numbered rule."""

    RuleNumber: int
    Protocol: str
    RuleAction: str
    Egress: bool
    CidrBlock: str | None = None
    Ipv6CidrBlock: str | None = None
    PortRange: Ports | None = None
    IcmpTypeCode: IcmpKind | None = None


class Association(msgspec.Struct, frozen=True):
    """A subnet that uses the ACL; every subnet is in exactly one."""

    SubnetId: str = ""


class NetworkAcl(msgspec.Struct, frozen=True):
    """An ACL with its entries."""

    NetworkAclId: str
    Entries: tuple[Entry, ...]
    Associations: tuple[Association, ...]
    VpcId: str = ""


class NetworkAcls(msgspec.Struct, frozen=True):
    """ec2.describe_network_acls."""

    NetworkAcls: tuple[NetworkAcl, ...]


ACLS = ec2("describe_network_acls", "NetworkAcls", yields=("filter",))


def acls_by_subnet(answers: Answers) -> dict[str, tuple[str, ...]]:
    """Subnet id -> asset ids of its ACLs. A subnet that is not in it has an ACL that was not read."""
    read = answers.one(ACLS.name, NetworkAcls)
    return {
        association.SubnetId: (answers.place.id("network-acl", acl.NetworkAclId),)
        for acl in (read.NetworkAcls if read else ())
        for association in acl.Associations
        if association.SubnetId
    }


def _rule(entry: Entry) -> Rule:
    """Raises ValueError for a protocol, range or action that means nothing."""
    if entry.RuleAction not in {"allow", "deny"}:
        raise ValueError(f"unknown action {entry.RuleAction!r}")
    protocol = protocol_number(entry.Protocol)
    first = last = None
    if entry.PortRange and protocol in {6, 17}:
        first, last = entry.PortRange.From, entry.PortRange.To
    elif entry.IcmpTypeCode and protocol in {1, 58}:
        first, last = entry.IcmpTypeCode.Type, entry.IcmpTypeCode.Code
    low, high = port_axis(protocol, first, last)
    cidr = entry.CidrBlock or entry.Ipv6CidrBlock or ""
    way = "to" if entry.Egress else "from"
    return Rule(
        native_id=f"rule {entry.RuleNumber}",
        allow=entry.RuleAction == "allow",
        order=entry.RuleNumber,
        protocol=protocol,
        port_from=low,
        port_to=high,
        cidrs=(cidr,),
        text=f"{entry.RuleAction} {traffic_text(protocol, low, high)} {way} {cidr}",
    )


def _rules(acl: NetworkAcl, cidrs: CidrCheck, *, egress: bool) -> tuple[Rule, ...]:
    """Raises ValueError for an entry that means nothing."""
    found: list[Rule] = []
    for entry in acl.Entries:
        if entry.Egress == egress:
            cidrs.require(entry.CidrBlock or entry.Ipv6CidrBlock or "")
            found.append(_rule(entry))
    # The API does not promise an order; the numbers decide.
    return tuple(sorted(found, key=lambda rule: (rule.order, rule.cidrs)))


def _filter(place: Place, acl: NetworkAcl, cidrs: CidrCheck) -> Filter:
    return Filter(
        id=place.id("network-acl", acl.NetworkAclId),
        kind="network-acl",
        native_id=acl.NetworkAclId,
        network=place.id("vpc", acl.VpcId) if acl.VpcId else "",
        semantics="first-match",
        stateful=False,
        ingress=_rules(acl, cidrs, egress=False),
        egress=_rules(acl, cidrs, egress=True),
    )


def parse(answers: Answers) -> Inventory:
    """Network ACLs as filters.

    An ACL with an entry that means nothing is left out whole: every later entry depends on it.
    """
    read = answers.one(ACLS.name, NetworkAcls)
    if read is None:
        return Inventory()
    cidrs = CidrCheck(answers, ACLS.name)
    filters = []
    for acl in read.NetworkAcls:
        try:
            filters.append(_filter(answers.place, acl, cidrs))
        except ValueError as error:
            answers.reject(ACLS.name, f"{acl.NetworkAclId}: {error}")
    return Inventory(filters=tuple(filters))


SERVICE = Service(name="ec2_acls", calls=(ACLS,), parse=parse)
