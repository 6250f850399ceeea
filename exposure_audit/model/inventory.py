"""What a cloud holds, in words that fit every cloud: differences between clouds are data here, not code.

Ids of nouns that carry an identity are asset ids, `aws:<account>:<region>:<type>/<id>`; `native_id` is what the
provider calls it. References between nouns are asset ids too. A reference that leads nowhere is not "nothing":
`reach` answers `unknown` for whatever depends on it, and `gaps` says why.
"""

from typing import Literal

import msgspec

from exposure_audit.model.addresses import Family

CoverageStatus = Literal["ok", "denied", "throttled", "failed", "unsupported", "skipped"]

Noun = Literal[
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
]
"""What a call tells us about; a call that failed leaves a gap in these nouns."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One thing asked of a provider, and how that ended."""

    provider: str
    account: str
    region: str
    """A region's name, or `global`."""
    call: str
    """`ec2.describe_instances`, `ecs.DescribeInstances`."""
    status: CoverageStatus
    detail: str = ""
    """Why, in one line: the error code and what the call is needed for."""
    yields: tuple[Noun, ...] = ()
    """What is unknown when the status is not `ok`."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """Anything with an identity in a provider."""

    id: str
    kind: str
    """The `<type>` of the id: `instance`, `network-interface`, `load-balancer`, `db-instance`…"""
    provider: str
    account: str
    region: str
    native_id: str
    name: str = ""
    state: str = ""
    """The provider's own word: `running`, `stopped`, `available`."""
    tags: dict[str, str] = {}
    details: dict[str, str] = {}
    """Facts worth showing and matching: engine, instance type, image…"""


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a filter. Sources are the union of cidrs, address lists and groups."""

    native_id: str
    """`sgr-…`, or `rule 100` of an ACL."""
    allow: bool = True
    order: int = 0
    """Smaller is looked at first; only filters with an order use it."""
    protocol: int | None = None
    """IANA number; None means every protocol."""
    port_from: int = 0
    port_to: int = 65535
    """For ICMP `type * 256 + code`."""
    cidrs: tuple[str, ...] = ()
    address_lists: tuple[str, ...] = ()
    """Asset ids of prefix lists."""
    groups: tuple[str, ...] = ()
    """Asset ids of filters whose members' private addresses are meant: never the internet."""
    text: str = ""
    """The rule as a person would say it: `allow tcp 6379 from 0.0.0.0/0`, and its description."""


FilterSemantics = Literal["union-of-allows", "first-match", "priority-drop-first"]


class Filter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that decides which traffic passes: security group, network ACL, whitelist.

    `union-of-allows`: every filter of an interface counts, one allow is enough (AWS security groups).
    `first-match`: rules in `order`, first match decides, nothing matched is denied (network ACLs).
    `priority-drop-first`: rules of all filters in one list by `order`, at equal order a drop first
    (Alibaba Cloud security groups).
    """

    id: str
    kind: str
    """`security-group`, `network-acl`, `whitelist`."""
    native_id: str
    name: str = ""
    network: str = ""
    semantics: FilterSemantics
    stateful: bool
    """False: the answer needs an egress rule of its own."""
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    default_allow: bool = False
    """What happens to traffic that no rule matches."""


class AddressList(msgspec.Struct, frozen=True, kw_only=True):
    """A named list of CIDRs that rules and routes refer to. `entries` is None when it could not be read."""

    id: str
    native_id: str
    name: str = ""
    entries: tuple[str, ...] | None = None


RouteTarget = Literal[
    "local", "internet", "egress-only", "nat", "middlebox", "private", "interface", "none", "unknown"
]
"""Where a route leads. `internet`: a gateway that carries both ways. `middlebox`: a firewall or appliance
that decides. `private`: peering, transit, VPN. `none`: blackhole."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route; the longest matching prefix wins, and a blackhole that wins drops."""

    destination: str
    """A CIDR, or the asset id of an address list."""
    target: RouteTarget
    target_id: str = ""
    """Asset id of the gateway, or the provider's native id of what we have no noun for."""
    active: bool = True
    propagated: bool = False


class RouteTable(msgspec.Struct, frozen=True, kw_only=True):
    """Routes, with the subnets that use them by association; `main` serves its network's other subnets."""

    id: str
    native_id: str
    network: str
    main: bool = False
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    """Edge associations: traffic entering by these gateways is routed by this table."""
    routes: tuple[Route, ...] = ()


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A way out of a network, and the networks it is attached to."""

    id: str
    native_id: str
    kind: Literal["internet", "egress-only", "nat", "private"]
    networks: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC. `ingress_block` is the provider's switch over all of it (AWS VPC Block Public Access)."""

    id: str
    native_id: str
    cidrs: tuple[str, ...] = ()
    ingress_block: bool | None = False
    """None: could not be read."""


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a network. Its ACL and route table are found through their associations."""

    id: str
    native_id: str
    network: str
    cidrs: tuple[str, ...] = ()
    filters: tuple[str, ...] | None = None
    """Stateless filters of the subnet; None: not said, look at the associations that were read."""
    assigns_public: bool = False
    ingress_block: bool | None = False


class PublicAddress(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An address of the public space, and the private one behind it (the same for IPv6)."""

    address: str
    """A CIDR when a whole prefix is delegated to the interface."""
    family: Family
    private: str = ""
    kind: Literal["elastic", "automatic", "ipv6"] = "automatic"
    native_id: str = ""
    """Allocation id of an elastic address."""


class Interface(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A network interface with what decides about it."""

    id: str
    native_id: str
    asset: str
    """Whose it is: the instance, the load balancer, the service; the interface itself when nobody's."""
    device: int | None = None
    """Its place on the instance; 0 is the primary one, to which balancers send. None: not said."""
    network: str
    subnet: str
    filters: tuple[str, ...] = ()
    addresses: tuple[PublicAddress, ...] = ()
    private_addresses: tuple[str, ...] = ()
    live: bool = True
    """Attached, in use, and its instance runs."""
    why_not_live: str = ""
    inbound: bool = True
    """False for interfaces that never take unsolicited traffic (NAT gateways)."""
    service: str = ""
    """`elb`, `rds`… when a provider's service owns it: folded into that front or door."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener passes to. Exactly one of interface address, asset or front is meant."""

    native_id: str
    kind: Literal["instance", "address", "front", "function", "unknown"]
    asset: str = ""
    """Asset id of an instance, front or function."""
    address: str = ""
    """Private address for kind `address`."""
    port: int | None = None
    healthy: bool | None = None
    """None: not said. An unhealthy target still counts: balancers fail open."""
    draining: bool = False


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A port that a front answers on."""

    native_id: str
    protocol: int
    port_from: int
    port_to: int
    application: str = ""
    """`HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, `TCP_UDP`…"""
    target_group: str = ""
    targets: tuple[Target, ...] | None = ()
    """None: could not be read."""
    preserves_client: bool | None = False
    """True: the target's filters see the client; False: they see the front; None: could not be read."""
    passes: bool = True
    """False for a redirect or a fixed answer: nothing is behind it."""


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """A load balancer or another front that listens for others."""

    id: str
    native_id: str
    kind: str
    """`application`, `network`, `classic`, `gateway`…"""
    dns_name: str
    public: bool
    families: tuple[Family, ...] = ("ipv4",)
    network: str = ""
    subnets: tuple[str, ...] = ()
    filters: tuple[str, ...] | None = ()
    """None: this kind has no filters of its own, all clients get through."""
    listeners: tuple[Listener, ...] | None = ()
    """None: could not be read."""
    live: bool = True
    why_not_live: str = ""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A managed service with an endpoint of its own: a database, a search domain."""

    id: str
    native_id: str
    service: str
    """What should answer there: `mysql`, `postgresql`, `redis`…"""
    dns_name: str
    port: int
    transport: int = 6
    public: bool | None = False
    network: str = ""
    subnets: tuple[str, ...] = ()
    """Where it is: the subnet of its interface when known, else those it may be in."""
    filters: tuple[str, ...] = ()
    live: bool = True
    why_not_live: str = ""
    family: Family = "ipv4"


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read, sorted by id, with the coverage that says what was not."""

    assets: tuple[Asset, ...] = ()
    networks: tuple[Network, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    filters: tuple[Filter, ...] = ()
    address_lists: tuple[AddressList, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    fronts: tuple[Front, ...] = ()
    doors: tuple[Door, ...] = ()
    idle_addresses: tuple[Asset, ...] = ()
    """Reserved public addresses that nothing uses."""
    coverage: tuple[Coverage, ...] = ()
