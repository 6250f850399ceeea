"""Application, network and gateway load balancers, and what is behind their listeners."""

from collections.abc import Iterable

from exposure_audit.collect.aws import elbv2_shapes as shapes
from exposure_audit.collect.aws.api import balancing
from exposure_audit.collect.contract import Answers, Parameters, PerResource, Place, Service
from exposure_audit.model.addresses import Family
from exposure_audit.model.inventory import Asset, Front, Inventory, Listener, Target

BALANCERS = balancing("elbv2", "describe_load_balancers", "LoadBalancers", yields=("asset", "front"))
GROUPS = balancing("elbv2", "describe_target_groups", "TargetGroups", yields=("target-group",))


def _balancers(answers: Answers) -> dict[str, Parameters] | None:
    read = answers.one(BALANCERS.name, shapes.LoadBalancers)
    if read is None:
        return None
    return {one.LoadBalancerArn: {"LoadBalancerArn": one.LoadBalancerArn} for one in read.LoadBalancers}


def _application_listeners(answers: Answers) -> dict[str, Parameters] | None:
    """Only application load balancers have more rules than the default action."""
    read = answers.one(BALANCERS.name, shapes.LoadBalancers)
    listeners = answers.each(LISTENERS.name, shapes.Listeners)
    if read is None or listeners is None:
        return {} if read is not None and not read.LoadBalancers else None
    arns = [one.LoadBalancerArn for one in read.LoadBalancers if one.Type == "application"]
    held = [listener for arn in arns if arn in listeners for listener in listeners[arn].Listeners]
    return {one.ListenerArn: {"ListenerArn": one.ListenerArn} for one in held}


def _groups(answers: Answers, protocols: frozenset[str] | None = None) -> dict[str, Parameters] | None:
    read = answers.one(GROUPS.name, shapes.TargetGroups)
    if read is None:
        return None
    return {
        one.TargetGroupArn: {"TargetGroupArn": one.TargetGroupArn}
        for one in read.TargetGroups
        if one.LoadBalancerArns and (protocols is None or one.Protocol in protocols)
    }


_NETWORK_PROTOCOLS = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})


def _network_groups(answers: Answers) -> dict[str, Parameters] | None:
    return _groups(answers, _NETWORK_PROTOCOLS)


LISTENERS = balancing(
    "elbv2",
    "describe_listeners",
    "Listeners",
    yields=("listener",),
    per=PerResource(needs=(BALANCERS.name,), parameters=_balancers),
)
RULES = balancing(
    "elbv2",
    "describe_rules",
    "Rules",
    yields=("listener",),
    per=PerResource(needs=(BALANCERS.name, LISTENERS.name), parameters=_application_listeners),
)
ATTRIBUTES = balancing(
    "elbv2",
    "describe_target_group_attributes",
    "Attributes",
    size=0,
    yields=("target-group",),
    per=PerResource(needs=(GROUPS.name,), parameters=_network_groups),
)
HEALTH = balancing(
    "elbv2",
    "describe_target_health",
    "TargetHealthDescriptions",
    size=0,
    yields=("target-group",),
    per=PerResource(needs=(GROUPS.name,), parameters=_groups),
)

_TRANSPORTS = {"UDP": (17,), "QUIC": (17,), "TCP_UDP": (6, 17), "TCP_QUIC": (6, 17)}
_FAMILIES: dict[str, tuple[Family, ...]] = {
    "ipv4": ("ipv4",),
    "dualstack": ("ipv4", "ipv6"),
    "dualstack-without-public-ipv4": ("ipv6",),
}
_LIVE = {"active", "active_impaired"}
_OUT = {"draining", "unused"}


def _suffix(arn: str) -> str:
    """`…:loadbalancer/app/web/50dc6c495c0c9188` -> `app/web/50dc6c495c0c9188`, which is unique in a region."""
    return arn.rpartition(":")[2].partition("/")[2]


def _target(place: Place, group: shapes.TargetGroup, one: shapes.TargetHealthDescription) -> Target:
    native_id, port = one.Target.Id, one.Target.Port or group.Port
    state = one.TargetHealth.State
    healthy = {"healthy": True, "unhealthy": False, "unhealthy.draining": False}.get(state)
    draining = state in _OUT
    if group.TargetType == "instance":
        asset, kind, address = place.id("instance", native_id), "instance", ""
    elif group.TargetType == "ip":
        asset, kind, address = "", "address", native_id
    elif group.TargetType == "alb":
        asset, kind, address = place.id("load-balancer", _suffix(native_id)), "front", ""
    elif group.TargetType == "lambda":
        asset, kind, address = place.id("function", native_id.rpartition(":")[2]), "function", ""
    else:
        asset, kind, address = "", "unknown", ""
    return Target(
        native_id=native_id,
        kind=kind,  # type: ignore[arg-type]
        asset=asset,
        address=address,
        port=port,
        healthy=healthy,
        draining=draining,
    )


class _Estate:
    """All answers of one place, joined by ARN."""

    def __init__(self, answers: Answers) -> None:
        self.place = answers.place
        groups = answers.one(GROUPS.name, shapes.TargetGroups)
        self.groups = {one.TargetGroupArn: one for one in groups.TargetGroups} if groups else {}
        self.listeners = answers.each(LISTENERS.name, shapes.Listeners) or {}
        self.rules = answers.each(RULES.name, shapes.Rules) or {}
        self.health = answers.each(HEALTH.name, shapes.TargetHealth) or {}
        self.attributes = answers.each(ATTRIBUTES.name, shapes.Attributes) or {}

    def targets(self, group_arn: str) -> tuple[Target, ...] | None:
        """What is registered in a group; None when group or health could not be read."""
        group, health = self.groups.get(group_arn), self.health.get(group_arn)
        if group is None or health is None:
            return None
        return tuple(_target(self.place, group, one) for one in health.TargetHealthDescriptions)

    def preserves_client(self, balancer: shapes.LoadBalancer, group_arns: Iterable[str]) -> bool | None:
        """Whether the targets' filters see the client (NLB guide, "Client IP preservation").

        The attribute decides; without it the defaults do: on for instances and for UDP, off for TCP and TLS to
        addresses. An ALB behind an NLB always sees the client. None when it could not be read or groups differ.
        """
        if balancer.Type != "network":
            return False
        said: set[bool | None] = {self._group_preserves(arn) for arn in group_arns}
        return said.pop() if len(said) == 1 else None

    def _group_preserves(self, arn: str) -> bool | None:
        group, attributes = self.groups.get(arn), self.attributes.get(arn)
        if group is None or attributes is None:
            return None
        if group.TargetType == "alb":
            return True
        for one in attributes.Attributes:
            if one.Key == "preserve_client_ip.enabled":
                return one.Value == "true"
        return group.TargetType == "instance" or group.Protocol in {"UDP", "TCP_UDP"}


def _forwards(actions: Iterable[shapes.Action]) -> set[str]:
    """The target groups that get traffic; an authentication in front of the forward changes nothing here."""
    found: set[str] = set()
    for action in actions:
        if action.Type != "forward":
            continue
        weighted = action.ForwardConfig.TargetGroups if action.ForwardConfig else ()
        if weighted:
            found |= {one.TargetGroupArn for one in weighted if one.Weight > 0}
        elif action.TargetGroupArn:
            found.add(action.TargetGroupArn)
    return found


def _listener(estate: _Estate, balancer: shapes.LoadBalancer, one: shapes.Listener) -> list[Listener]:
    """One noun per transport; the targets of all groups together, each with its own port."""
    if one.Port is None:
        return []
    rules = estate.rules.get(one.ListenerArn)
    actions = list(one.DefaultActions) + [
        action for rule in (rules.Rules if rules else ()) for action in rule.Actions
    ]
    groups = sorted(_forwards(actions))
    readable = balancer.Type != "application" or rules is not None
    found = [estate.targets(arn) for arn in groups]
    targets: tuple[Target, ...] | None = None
    if readable and None not in found:
        unique = {target for part in found for target in part or ()}
        targets = tuple(sorted(unique, key=lambda target: (target.native_id, target.port or 0)))
    return [
        Listener(
            native_id=one.ListenerArn,
            protocol=protocol,
            port_from=one.Port,
            port_to=one.Port,
            application=one.Protocol,
            target_group=",".join(estate.place.id("target-group", _suffix(arn)) for arn in groups),
            targets=targets,
            preserves_client=estate.preserves_client(balancer, groups) if groups else False,
            passes=bool(groups) or not readable,
        )
        for protocol in _TRANSPORTS.get(one.Protocol, (6,))
    ]


def _front(estate: _Estate, one: shapes.LoadBalancer) -> Front:
    place = estate.place
    held = estate.listeners.get(one.LoadBalancerArn)
    listeners = None
    if held is not None:
        nouns = [noun for listener in held.Listeners for noun in _listener(estate, one, listener)]
        listeners = tuple(sorted(nouns, key=lambda noun: (noun.port_from, noun.protocol, noun.native_id)))
    filters = tuple(sorted(place.id("security-group", group) for group in one.SecurityGroups))
    return Front(
        id=place.id("load-balancer", _suffix(one.LoadBalancerArn)),
        native_id=one.LoadBalancerArn,
        kind=one.Type,
        dns_name=one.DNSName,
        public=one.Scheme == "internet-facing",
        families=_FAMILIES.get(one.IpAddressType, ("ipv4", "ipv6")),
        network=place.id("vpc", one.VpcId) if one.VpcId else "",
        subnets=tuple(sorted(place.id("subnet", zone.SubnetId) for zone in one.AvailabilityZones if zone.SubnetId)),
        # A network load balancer may have none: then all clients get through.
        filters=filters if filters or one.Type == "application" else None,
        listeners=listeners,
        live=one.State.Code in _LIVE,
        why_not_live="" if one.State.Code in _LIVE else f"the load balancer is {one.State.Code}",
    )


def _asset(place: Place, one: shapes.LoadBalancer) -> Asset:
    return Asset(
        id=place.id("load-balancer", _suffix(one.LoadBalancerArn)),
        kind="load-balancer",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.LoadBalancerArn,
        name=one.LoadBalancerName,
        state=one.State.Code,
        details={"type": one.Type, "scheme": one.Scheme, "dns_name": one.DNSName},
    )


def parse(answers: Answers) -> Inventory:
    """Load balancers as fronts, each with listeners and the targets behind them."""
    read = answers.one(BALANCERS.name, shapes.LoadBalancers)
    estate = _Estate(answers)
    held = read.LoadBalancers if read else ()
    return Inventory(
        assets=tuple(_asset(answers.place, one) for one in held), fronts=tuple(_front(estate, one) for one in held)
    )


SERVICE = Service(name="elbv2", calls=(BALANCERS, LISTENERS, RULES, GROUPS, ATTRIBUTES, HEALTH), parse=parse)
