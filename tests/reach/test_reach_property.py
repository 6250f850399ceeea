"""Random small worlds, held against a walker that tries one packet at a time."""

import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reach_brute import NO, YES, Walk, told
from reach_estate import (
    ACL,
    HERE,
    IGW,
    OUT4,
    OUT6,
    PRIVATE_NET,
    PUBLIC_NET,
    SG,
    V6,
    VPC,
    acl,
    coverage,
    entry,
    estate,
    group,
    interface,
    subnet,
    table,
)

from exposure_audit.model.inventory import AddressList, Filter, Gateway, Inventory, Network, Route, Rule
from exposure_audit.reach.run import find_exposures

SOURCES = {
    "ipv4": ("203.0.113.5", "203.0.113.200", "192.0.2.7"),
    "ipv6": ("2001:db8::1", "2001:db8:1::1"),
}
PORTS = (22, 80, 443, 65535)
CIDRS = (
    "0.0.0.0/0",
    "192.0.0.0/3",
    "203.0.113.0/24",
    "203.0.113.0/25",
    "198.51.100.0/24",
    "192.0.2.7",
    "10.0.0.0/8",
    "::/0",
    "2001:db8::/48",
    "2001:db8::1",
)
LISTS = tuple(f"{HERE}:prefix-list/{name}" for name in ("pl-one", "pl-unread", "pl-gone"))
SECOND = f"{HERE}:security-group/sg-2"
GONE = f"{HERE}:security-group/sg-gone"

SPANS = ((0, 65535), (22, 22), (20, 100), (80, 1023), (443, 443), (1024, 65535), (0, 1023))
TARGETS: tuple[Any, ...] = ("internet", "internet", "nat", "middlebox", "private", "none", "unknown")
Dice = random.Random
# Worlds are drawn from a seed, evenly: hypothesis alone loves small worlds, and in those everything is closed.
seeds = st.integers(0, 2**40)


def a_rule(dice: Dice, *, order: int = 0, allow: bool = True) -> Rule:
    protocol = dice.choice((None, 6, 6, 17, 1, 58))
    low, high = dice.choice(SPANS) if protocol in {6, 17} else (0, 65535)
    lists = (dice.choice(LISTS),) if not order and dice.random() < 0.15 else ()
    return Rule(
        native_id=f"rule {order}" if order else f"sgr-{dice.randrange(10**9)}",
        allow=allow,
        order=order,
        protocol=protocol,
        port_from=low,
        port_to=high,
        cidrs=tuple(dice.sample(CIDRS, dice.choice((1, 1, 2)))),
        address_lists=lists,
    )


def a_route(dice: Dice, *destinations: str) -> Route:
    target = dice.choice(TARGETS)
    return Route(
        destination=dice.choice(
            destinations or ("192.0.0.0/3", "203.0.113.0/24", "203.0.113.0/25", "2001:db8::/48")
        ),
        target=target,
        target_id=IGW if target == "internet" else "",
        active=dice.random() < 0.85,
        propagated=dice.random() < 0.25,
    )


def entries(dice: Dice) -> tuple[Rule, ...]:
    """Some numbered entries, and often one for everybody at the end."""
    found = [
        a_rule(dice, order=n, allow=dice.random() < 0.5) for n in dice.sample(range(2, 20, 2), dice.randrange(4))
    ]
    last = entry(50)
    return (*found, last) if dice.random() < 0.8 else tuple(found)


def a_world(seed: int) -> Inventory:
    dice = Dice(seed)
    plain = acl()
    network_acl = acl(
        entries(dice) if dice.random() < 0.6 else plain.ingress,
        entries(dice) if dice.random() < 0.6 else plain.egress,
    )
    groups = [group(*(a_rule(dice) for _ in range(dice.randrange(1, 5))), name=name) for name in (SG, SECOND)]
    mine = dice.sample((SG, SG, SG, SECOND, SECOND, GONE), dice.choice((1, 1, 2)))
    defaults = (OUT4, OUT6) if dice.random() < 0.7 else (a_route(dice, "0.0.0.0/0"), a_route(dice, "::/0"))
    tables = (
        table(*defaults, *(a_route(dice) for _ in range(dice.randrange(3)))),
        table(*(a_route(dice, "0.0.0.0/0", "::/0") for _ in range(2)), subnets=(), main=True, native_id="rtb-main"),
    )
    block = dice.choice((False,) * 8 + (True, None))
    listed = AddressList(id=LISTS[0], native_id="pl-one", entries=("203.0.113.0/25", "2001:db8::/48"))
    return estate(
        networks=(Network(id=VPC, native_id="vpc-1", cidrs=("10.0.0.0/16",), ingress_block=block),),
        subnets=(subnet(ingress_block=block), subnet(PRIVATE_NET)),
        interfaces=(
            interface(
                subnet=dice.choice((PUBLIC_NET, PUBLIC_NET, PUBLIC_NET, PRIVATE_NET)),
                filters=tuple(dict.fromkeys(mine)),
                addresses=(*interface().addresses, V6),
            ),
        ),
        filters=(*groups, network_acl),
        address_lists=(listed, AddressList(id=LISTS[1], native_id="pl-unread", entries=None)),
        route_tables=tables,
        gateways=(
            Gateway(id=IGW, native_id="igw-1", kind="internet", networks=(VPC,) if dice.random() < 0.9 else ()),
        ),
    )


worlds = seeds.map(a_world)


def packets() -> list[tuple[str, str, str, int]]:
    return [
        (address, source, transport, port)
        for address, family in (("198.51.100.10", "ipv4"), ("2001:db8::10", "ipv6"))
        for source in SOURCES[family]
        for transport in ("tcp", "udp", "icmp")
        for port in (PORTS if transport != "icmp" else PORTS[:1])
    ]


PACKETS = packets()
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@given(worlds)
@settings(quick, max_examples=60)
def test_every_packet_meets_the_fate_that_the_walker_says(world: Inventory) -> None:
    found = find_exposures(world)
    for address, source, transport, port in PACKETS:
        walk = Walk(world, world.interfaces[0], source, transport, port)
        said = told(found, address, source, transport, port)
        here = (address, source, transport, port)
        assert said["talk"] == walk.level(), here
        odd = max(walk.arrives, walk.crafted) if walk.ordinary == NO and transport != "icmp" else NO
        assert said["crafted"] == odd, here
        mute = walk.arrives if walk.crafted == NO and transport == "udp" else NO
        assert said["one-way"] == mute, here


def reached(world: Inventory) -> dict[tuple[str, str, str, int], int]:
    found = find_exposures(world)
    return {packet: min(told(found, *packet).values()) for packet in PACKETS}


def _changed(world: Inventory, name: str, **changes: Any) -> Inventory:
    filters = tuple(msgspec.structs.replace(f, **changes) if f.id == name else f for f in world.filters)
    return msgspec.structs.replace(world, filters=filters)


def _filter(world: Inventory, name: str) -> Filter:
    return next(item for item in world.filters if item.id == name)


def never_opens(before: Inventory, after: Inventory) -> None:
    first, second = reached(before), reached(after)
    for packet in PACKETS:
        assert first[packet] < NO or second[packet] == NO, packet
        if packet[2] == "tcp":
            assert second[packet] >= first[packet], packet


@given(worlds, seeds, st.booleans())
@quick
def test_adding_a_deny_never_opens(world: Inventory, seed: int, egress: bool) -> None:
    dice = Dice(seed)
    deny = a_rule(dice, order=dice.choice((1, 9, 99)), allow=False)
    side = "egress" if egress else "ingress"
    held = getattr(_filter(world, ACL), side)
    never_opens(world, _changed(world, ACL, **{side: (*held, deny)}))


@given(worlds, st.randoms(use_true_random=False))
@quick
def test_removing_an_allow_never_opens(world: Inventory, dice: random.Random) -> None:
    name = dice.choice((SG, SECOND, ACL))
    side = dice.choice(("ingress", "egress")) if name == ACL else "ingress"
    held = getattr(_filter(world, name), side)
    allows = [rule for rule in held if rule.allow]
    if allows:
        gone = dice.choice(allows)
        never_opens(world, _changed(world, name, **{side: tuple(rule for rule in held if rule is not gone)}))


@given(worlds, st.sampled_from(("networks", "subnets", "filters", "route_tables", "gateways", "address_lists")))
@quick
def test_what_was_not_read_never_closes_and_never_proves(world: Inventory, unread: str) -> None:
    nouns = {
        "networks": "network",
        "subnets": "subnet",
        "filters": "filter",
        "route_tables": "route-table",
        "gateways": "gateway",
        "address_lists": "address-list",
    }
    row = coverage("denied", nouns[unread], call="some.call")  # type: ignore[arg-type]
    blind = msgspec.structs.replace(world, **{unread: (), "coverage": (row,)})
    first, second = reached(world), reached(blind)
    for packet in PACKETS:
        assert first[packet] == NO or second[packet] < NO, packet
        assert second[packet] != YES or first[packet] == YES, packet


@given(worlds, st.randoms(use_true_random=False))
@quick
def test_the_order_of_the_input_changes_nothing(world: Inventory, dice: random.Random) -> None:
    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dice.sample(items, len(items)))

    filters = [
        msgspec.structs.replace(item, ingress=shuffled(item.ingress), egress=shuffled(item.egress))
        for item in world.filters
    ]
    tables = [msgspec.structs.replace(item, routes=shuffled(item.routes)) for item in world.route_tables]
    other = msgspec.structs.replace(
        world,
        filters=shuffled(tuple(filters)),
        route_tables=shuffled(tuple(tables)),
        subnets=shuffled(world.subnets),
        address_lists=shuffled(world.address_lists),
        interfaces=tuple(msgspec.structs.replace(i, filters=shuffled(i.filters)) for i in world.interfaces),
    )
    assert find_exposures(other) == find_exposures(world)


@given(worlds)
@quick
def test_ids_are_unique_and_exposures_sorted_and_maximal(world: Inventory) -> None:
    found = find_exposures(world)
    assert len({item.id for item in found}) == len(found)
    keys = [(item.asset, item.address, item.transport, item.port_from or -1, item.port_to or -1) for item in found]
    assert keys == sorted(keys)
    seen: dict[tuple[Any, ...], int] = {}
    for item in found:
        if item.port_from is not None and not item.dormant:
            meaning = (
                item.address,
                item.transport,
                item.sources,
                item.sources_except,
                item.truth,
                item.one_way,
                item.crafted_source_port,
            )
            assert seen.get(meaning, -2) + 1 != item.port_from
            seen[meaning] = item.port_to or item.port_from


@given(worlds)
@quick
def test_the_path_gives_the_reason_for_every_doubt(world: Inventory) -> None:
    for item in find_exposures(world):
        said = {hop.truth for hop in item.path}
        assert item.truth in said or item.truth == "true"
        if item.truth == "true":
            assert said == {"true"}
        if item.truth == "conditional":
            assert "unknown" not in said
