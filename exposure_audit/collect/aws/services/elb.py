"""Classic load balancers: one listener leads to one port of every registered instance."""

import msgspec

from exposure_audit.collect.aws.api import balancing
from exposure_audit.collect.contract import Answers, Service
from exposure_audit.model.inventory import Asset, Front, Inventory, Listener, Target


class ListenerAnswer(msgspec.Struct, frozen=True):
    """A port of the balancer, and the instances' port behind it."""

    Protocol: str
    LoadBalancerPort: int
    InstancePort: int


class ListenerDescription(msgspec.Struct, frozen=True):
    """A listener, wrapped."""

    Listener: ListenerAnswer


class InstanceId(msgspec.Struct, frozen=True):
    """A registered instance."""

    InstanceId: str


class LoadBalancer(msgspec.Struct, frozen=True):
    """A classic load balancer."""

    LoadBalancerName: str
    ListenerDescriptions: tuple[ListenerDescription, ...]
    Instances: tuple[InstanceId, ...]
    SecurityGroups: tuple[str, ...]
    DNSName: str = ""
    Scheme: str = ""
    Subnets: tuple[str, ...] = ()
    VPCId: str = ""


class LoadBalancers(msgspec.Struct, frozen=True):
    """elb.describe_load_balancers."""

    LoadBalancerDescriptions: tuple[LoadBalancer, ...]


BALANCERS = balancing(
    "elb",
    "describe_load_balancers",
    "LoadBalancerDescriptions",
    yields=("asset", "front", "listener", "target-group"),
)


def _listener(answers: Answers, balancer: LoadBalancer, one: ListenerAnswer) -> Listener:
    return Listener(
        native_id=f"{balancer.LoadBalancerName}:{one.LoadBalancerPort}",
        protocol=6,
        port_from=one.LoadBalancerPort,
        port_to=one.LoadBalancerPort,
        application=one.Protocol.upper(),
        # Health is not asked: an unhealthy target still counts, and instances that stopped are not live.
        targets=tuple(
            Target(
                native_id=held.InstanceId,
                kind="instance",
                asset=answers.place.id("instance", held.InstanceId),
                port=one.InstancePort,
            )
            for held in sorted(balancer.Instances, key=lambda held: held.InstanceId)
        ),
    )


def _front(answers: Answers, one: LoadBalancer) -> Front:
    place = answers.place
    listeners = [_listener(answers, one, described.Listener) for described in one.ListenerDescriptions]
    return Front(
        id=place.id("load-balancer", one.LoadBalancerName),
        native_id=one.LoadBalancerName,
        kind="classic",
        dns_name=one.DNSName,
        public=one.Scheme == "internet-facing",
        network=place.id("vpc", one.VPCId) if one.VPCId else "",
        subnets=tuple(sorted(place.id("subnet", subnet) for subnet in one.Subnets)),
        filters=tuple(sorted(place.id("security-group", group) for group in one.SecurityGroups)),
        listeners=tuple(sorted(listeners, key=lambda listener: listener.port_from)),
    )


def _asset(answers: Answers, one: LoadBalancer) -> Asset:
    place = answers.place
    return Asset(
        id=place.id("load-balancer", one.LoadBalancerName),
        kind="load-balancer",
        provider=place.provider,
        account=place.account,
        region=place.region,
        native_id=one.LoadBalancerName,
        name=one.LoadBalancerName,
        details={"type": "classic", "scheme": one.Scheme, "dns_name": one.DNSName},
    )


def parse(answers: Answers) -> Inventory:
    """Classic load balancers as fronts."""
    read = answers.one(BALANCERS.name, LoadBalancers)
    held = read.LoadBalancerDescriptions if read else ()
    return Inventory(
        assets=tuple(_asset(answers, one) for one in held), fronts=tuple(_front(answers, one) for one in held)
    )


SERVICE = Service(name="elb", calls=(BALANCERS,), parse=parse)
