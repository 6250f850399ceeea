"""EC2 security groups: allow-only, stateful, united over the groups of an interface."""

import msgspec

from exposure_audit.collect.aws.api import ec2
from exposure_audit.collect.aws.shapes import CidrCheck, port_axis, protocol_number, traffic_text
from exposure_audit.collect.contract import Answers, Place, Service
from exposure_audit.model.inventory import Filter, Inventory, Rule


class IpRange(msgspec.Struct, frozen=True):
    """An IPv4 source."""

    CidrIp: str
    Description: str = ""


class Ipv6Range(msgspec.Struct, frozen=True):
    """An IPv6 source."""

    CidrIpv6: str
    Description: str = ""


class PrefixListId(msgspec.Struct, frozen=True):
    """A prefix list as source."""

    PrefixListId: str
    Description: str = ""


class GroupPair(msgspec.Struct, frozen=True):
    """Another group as source: its members' private addresses."""

    GroupId: str = ""
    UserId: str = ""
    Description: str = ""


class IpPermission(msgspec.Struct, frozen=True):
    """Sources that may use one range of ports."""

    IpProtocol: str
    FromPort: int | None = None
    ToPort: int | None = None
    IpRanges: tuple[IpRange, ...] = ()
    Ipv6Ranges: tuple[Ipv6Range, ...] = ()
    PrefixListIds: tuple[PrefixListId, ...] = ()
    UserIdGroupPairs: tuple[GroupPair, ...] = ()


class SecurityGroup(msgspec.Struct, frozen=True):
    """A group with its rules."""

    GroupId: str
    IpPermissions: tuple[IpPermission, ...]
    IpPermissionsEgress: tuple[IpPermission, ...]
    GroupName: str = ""
    VpcId: str = ""


class SecurityGroups(msgspec.Struct, frozen=True):
    """ec2.describe_security_groups."""

    SecurityGroups: tuple[SecurityGroup, ...]


class ReferencedGroup(msgspec.Struct, frozen=True):
    """The group that a rule refers to."""

    GroupId: str = ""


class GroupRule(msgspec.Struct, frozen=True):
    """One rule with an id of its own: exactly one source."""

    SecurityGroupRuleId: str
    GroupId: str
    IsEgress: bool
    IpProtocol: str
    FromPort: int = -1
    ToPort: int = -1
    CidrIpv4: str | None = None
    CidrIpv6: str | None = None
    PrefixListId: str | None = None
    ReferencedGroupInfo: ReferencedGroup | None = None


class GroupRules(msgspec.Struct, frozen=True):
    """ec2.describe_security_group_rules."""

    SecurityGroupRules: tuple[GroupRule, ...]


GROUPS = ec2("describe_security_groups", "SecurityGroups", yields=("filter",))
RULES = ec2("describe_security_group_rules", "SecurityGroupRules", optional=True)

_Key = tuple[bool, str, int, int, str]
_Ids = dict[str, dict[_Key, str]]


def _rule_ids(answers: Answers) -> _Ids:
    """group id -> (egress, protocol, from, to, source) -> `sgr-…`."""
    found: _Ids = {}
    read = answers.one(RULES.name, GroupRules)
    for rule in read.SecurityGroupRules if read else ():
        source = rule.CidrIpv4 or rule.CidrIpv6 or rule.PrefixListId
        if not source:
            source = rule.ReferencedGroupInfo.GroupId if rule.ReferencedGroupInfo else ""
        key = (rule.IsEgress, rule.IpProtocol, rule.FromPort, rule.ToPort, source)
        found.setdefault(rule.GroupId, {})[key] = rule.SecurityGroupRuleId
    return found


class _Reader:
    """Turns permissions into rules, one a source: that is what a person can point at and revoke."""

    def __init__(self, answers: Answers) -> None:
        self._place: Place = answers.place
        self._ids = _rule_ids(answers)
        self._cidrs = CidrCheck(answers, GROUPS.name)

    def rules(self, group: SecurityGroup, *, egress: bool) -> tuple[Rule, ...]:
        """Raises ValueError for a permission that means nothing."""
        found: list[Rule] = []
        for permission in group.IpPermissionsEgress if egress else group.IpPermissions:
            protocol = protocol_number(permission.IpProtocol)
            axis = port_axis(protocol, permission.FromPort, permission.ToPort)
            for text in (
                *(item.CidrIp for item in permission.IpRanges),
                *(item.CidrIpv6 for item in permission.Ipv6Ranges),
            ):
                self._cidrs.require(text)
            found += self._permission(group, permission, egress, protocol, axis)
        return tuple(found)

    def _permission(
        self,
        group: SecurityGroup,
        permission: IpPermission,
        egress: bool,
        protocol: int | None,
        axis: tuple[int, int],
    ) -> list[Rule]:
        """All rules of one permission; `cidrs`, `address_lists` and `groups` hold one source each."""
        low, high = axis
        first = -1 if permission.FromPort is None else permission.FromPort
        last = -1 if permission.ToPort is None else permission.ToPort
        ids = self._ids.get(group.GroupId, {})
        start = f"{traffic_text(protocol, low, high)} {'to' if egress else 'from'} "

        def rule(
            source: str,
            note: str,
            cidrs: tuple[str, ...] = (),
            lists: tuple[str, ...] = (),
            groups: tuple[str, ...] = (),
        ) -> Rule:
            text = f"{start}{source}"
            native_id = ids.get((egress, permission.IpProtocol, first, last, source))
            return Rule(
                native_id=native_id or f"{group.GroupId} {text}",
                protocol=protocol,
                port_from=low,
                port_to=high,
                cidrs=cidrs,
                address_lists=lists,
                groups=groups,
                text=f"allow {text} ({note})" if note else f"allow {text}",
            )

        found = [rule(item.CidrIp, item.Description, (item.CidrIp,)) for item in permission.IpRanges]
        found += [rule(item.CidrIpv6, item.Description, (item.CidrIpv6,)) for item in permission.Ipv6Ranges]
        for listed in permission.PrefixListIds:
            list_id = self._place.id("prefix-list", listed.PrefixListId)
            found.append(rule(listed.PrefixListId, listed.Description, lists=(list_id,)))
        for pair in permission.UserIdGroupPairs:
            owner = Place(self._place.provider, pair.UserId or self._place.account, self._place.region)
            groups = (owner.id("security-group", pair.GroupId),)
            found.append(rule(pair.GroupId, pair.Description, groups=groups))
        return found


def _filter(reader: _Reader, place: Place, group: SecurityGroup) -> Filter:
    return Filter(
        id=place.id("security-group", group.GroupId),
        kind="security-group",
        native_id=group.GroupId,
        name=group.GroupName,
        network=place.id("vpc", group.VpcId) if group.VpcId else "",
        semantics="union-of-allows",
        stateful=True,
        ingress=reader.rules(group, egress=False),
        egress=reader.rules(group, egress=True),
    )


def parse(answers: Answers) -> Inventory:
    """Security groups as filters.

    A group with a rule that means nothing is left out whole: without that rule it would look shut, and what refers
    to a group that is not there is unknown.
    """
    read = answers.one(GROUPS.name, SecurityGroups)
    if read is None:
        return Inventory()
    reader = _Reader(answers)
    filters = []
    for group in read.SecurityGroups:
        try:
            filters.append(_filter(reader, answers.place, group))
        except ValueError as error:
            answers.reject(GROUPS.name, f"{group.GroupId}: {error}")
    return Inventory(filters=tuple(filters))


SERVICE = Service(name="ec2_groups", calls=(GROUPS, RULES), parse=parse)
