"""A small believable network to change in one place at a time: one VPC, a public and a private subnet."""

from typing import Any

import msgspec

from exposure_audit.model.exposure import Exposure
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

HERE = "aws:111111111111:eu-west-1"
VPC, IGW = f"{HERE}:vpc/vpc-1", f"{HERE}:internet-gateway/igw-1"
PUBLIC_NET, PRIVATE_NET = f"{HERE}:subnet/subnet-pub", f"{HERE}:subnet/subnet-priv"
SG, ACL, INSTANCE, ENI = (
    f"{HERE}:security-group/sg-1",
    f"{HERE}:network-acl/acl-1",
    f"{HERE}:instance/i-1",
    f"{HERE}:network-interface/eni-1",
)
WORLD4, WORLD6 = "0.0.0.0/0", "::/0"
NOUNS: tuple[Noun, ...] = (
    "asset",
    "network",
    "subnet",
    "interface",
    "address",
    "filter",
    "route-table",
    "gateway",
    "address-list",
    "front",
    "listener",
    "target-group",
    "door",
)


def coverage(status: str = "ok", *nouns: Noun, call: str = "ec2.describe_everything", detail: str = "") -> Coverage:
    return Coverage(
        provider="aws",
        account="111111111111",
        region="eu-west-1",
        call=call,
        status=status,  # type: ignore[arg-type]
        detail=detail,
        yields=nouns or NOUNS,
    )


def rule(ports: int | tuple[int, int] | None = None, *cidrs: str, protocol: int | None = 6, **more: Any) -> Rule:
    low, high = ports if isinstance(ports, tuple) else (0, 65535) if ports is None else (ports, ports)
    native_id = more.pop("native_id", f"sgr-{protocol}-{low}-{high}-{'+'.join(cidrs)}")
    return Rule(native_id=native_id, protocol=protocol, port_from=low, port_to=high, cidrs=cidrs, **more)


def group(*ingress: Rule, name: str = SG, **more: Any) -> Filter:
    more.setdefault("egress", (rule(None, WORLD4, WORLD6, protocol=None, native_id="out"),))
    return Filter(
        id=name,
        kind="security-group",
        native_id=name.rpartition("/")[2],
        network=VPC,
        semantics="union-of-allows",
        stateful=True,
        ingress=ingress,
        **more,
    )


def entry(order: int, ports: Any = None, *cidrs: str, allow: bool = True, protocol: int | None = None) -> Rule:
    return rule(
        ports, *(cidrs or (WORLD4, WORLD6)), protocol=protocol, allow=allow, order=order, native_id=f"rule {order}"
    )


def acl(
    ingress: tuple[Rule, ...] = (entry(100),), egress: tuple[Rule, ...] = (entry(100),), name: str = ACL
) -> Filter:
    return Filter(
        id=name,
        kind="network-acl",
        native_id=name.rpartition("/")[2],
        network=VPC,
        semantics="first-match",
        stateful=False,
        ingress=ingress,
        egress=egress,
    )


def interface(name: str = ENI, **more: Any) -> Interface:
    fields: dict[str, Any] = {
        "id": name,
        "native_id": name.rpartition("/")[2],
        "asset": INSTANCE,
        "network": VPC,
        "subnet": PUBLIC_NET,
        "filters": (SG,),
        "addresses": (PublicAddress(address="198.51.100.10", family="ipv4", private="10.0.0.10"),),
        "private_addresses": ("10.0.0.10",),
    }
    return Interface(**(fields | more))


V6 = PublicAddress(address="2001:db8::10", family="ipv6", private="2001:db8::10", kind="ipv6")
LOCAL = Route(destination="10.0.0.0/16", target="local")
OUT4 = Route(destination=WORLD4, target="internet", target_id=IGW)
OUT6 = Route(destination=WORLD6, target="internet", target_id=IGW)


def table(*routes: Route, subnets: tuple[str, ...] = (PUBLIC_NET,), **more: Any) -> RouteTable:
    native_id = more.pop("native_id", "rtb-1")
    fields: dict[str, Any] = {"id": f"{HERE}:route-table/{native_id}", "native_id": native_id, "network": VPC}
    return RouteTable(**(fields | {"routes": (LOCAL, *routes), "subnets": subnets} | more))


def subnet(name: str = PUBLIC_NET, **more: Any) -> Subnet:
    cidrs = ("10.0.0.0/24", "2001:db8::/64") if name == PUBLIC_NET else ("10.0.1.0/24",)
    fields: dict[str, Any] = {"network": VPC, "cidrs": cidrs, "filters": (ACL,)}
    return Subnet(id=name, native_id=name.rpartition("/")[2], **(fields | more))


def estate(*ingress: Rule, **changes: Any) -> Inventory:
    """An instance with a public address, reachable on what `ingress` says; `changes` replace whole lists."""
    fields: dict[str, Any] = {
        "networks": (Network(id=VPC, native_id="vpc-1", cidrs=("10.0.0.0/16",)),),
        "subnets": (subnet(), subnet(PRIVATE_NET)),
        "interfaces": (interface(),),
        "filters": (group(*ingress), acl()),
        "route_tables": (
            table(OUT4, OUT6),
            table(subnets=(), main=True, native_id="rtb-main"),
        ),
        "gateways": (Gateway(id=IGW, native_id="igw-1", kind="internet", networks=(VPC,)),),
        "coverage": (coverage(),),
    }
    return Inventory(**(fields | changes))


def without(inventory: Inventory, **changes: Any) -> Inventory:
    return msgspec.structs.replace(inventory, **changes)


def brief(exposures: tuple[Exposure, ...], *, dormant: bool = False) -> list[tuple[Any, ...]]:
    """(address, transport, from, to, truth) of the reachable ones, or of the dormant ones."""
    return [
        (item.address, item.transport, item.port_from, item.port_to, item.truth)
        for item in exposures
        if item.dormant == dormant
    ]


def live(exposures: tuple[Exposure, ...]) -> list[Exposure]:
    return [item for item in exposures if not item.dormant]
