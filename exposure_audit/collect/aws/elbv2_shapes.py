"""What Elastic Load Balancing v2 says of balancers, listeners, rules and target groups."""

import msgspec


class BalancerState(msgspec.Struct, frozen=True):
    """`active`, `provisioning`, `active_impaired` or `failed`."""

    Code: str = ""


class Zone(msgspec.Struct, frozen=True):
    """An enabled availability zone."""

    SubnetId: str = ""


class LoadBalancer(msgspec.Struct, frozen=True):
    """An application, network or gateway load balancer."""

    LoadBalancerArn: str
    LoadBalancerName: str
    Type: str
    AvailabilityZones: tuple[Zone, ...]
    State: BalancerState
    DNSName: str = ""
    Scheme: str = ""
    VpcId: str = ""
    IpAddressType: str = "ipv4"
    SecurityGroups: tuple[str, ...] = ()


class LoadBalancers(msgspec.Struct, frozen=True):
    """elbv2.describe_load_balancers."""

    LoadBalancers: tuple[LoadBalancer, ...]


class WeightedGroup(msgspec.Struct, frozen=True):
    """A target group with its share; weight 0 gets nothing."""

    TargetGroupArn: str
    Weight: int = 1


class Forward(msgspec.Struct, frozen=True):
    """All groups that a forward action leads to."""

    TargetGroups: tuple[WeightedGroup, ...] = ()


class Action(msgspec.Struct, frozen=True):
    """`forward`, `redirect`, `fixed-response`, `authenticate-oidc`, `authenticate-cognito`, `jwt-validation`."""

    Type: str
    TargetGroupArn: str = ""
    ForwardConfig: Forward | None = None


class Listener(msgspec.Struct, frozen=True):
    """A port of a balancer; gateway load balancers have listeners without port and protocol."""

    ListenerArn: str
    DefaultActions: tuple[Action, ...]
    Port: int | None = None
    Protocol: str = ""


class Listeners(msgspec.Struct, frozen=True):
    """elbv2.describe_listeners, of one load balancer."""

    Listeners: tuple[Listener, ...]


class Rule(msgspec.Struct, frozen=True):
    """What a listener does on a condition; the default rule is among them."""

    Actions: tuple[Action, ...]


class Rules(msgspec.Struct, frozen=True):
    """elbv2.describe_rules, of one listener."""

    Rules: tuple[Rule, ...]


class TargetGroup(msgspec.Struct, frozen=True):
    """Where a listener passes to."""

    TargetGroupArn: str
    LoadBalancerArns: tuple[str, ...]
    TargetType: str = "instance"
    Protocol: str = ""
    Port: int | None = None


class TargetGroups(msgspec.Struct, frozen=True):
    """elbv2.describe_target_groups."""

    TargetGroups: tuple[TargetGroup, ...]


class Attribute(msgspec.Struct, frozen=True):
    """A setting."""

    Key: str
    Value: str = ""


class Attributes(msgspec.Struct, frozen=True):
    """elbv2.describe_target_group_attributes, of one target group."""

    Attributes: tuple[Attribute, ...]


class TargetId(msgspec.Struct, frozen=True):
    """An instance id, address or ARN; the port beats that of the group."""

    Id: str
    Port: int | None = None


class Health(msgspec.Struct, frozen=True):
    """`initial`, `healthy`, `unhealthy`, `unhealthy.draining`, `unused`, `draining`, `unavailable`."""

    State: str = ""


class TargetHealthDescription(msgspec.Struct, frozen=True):
    """A target and how it does."""

    Target: TargetId
    TargetHealth: Health = Health()


class TargetHealth(msgspec.Struct, frozen=True):
    """elbv2.describe_target_health, of one target group."""

    TargetHealthDescriptions: tuple[TargetHealthDescription, ...]
