"""The three ways of reading rules, each against one that asks a single packet at a time."""

import random
from ipaddress import ip_address, ip_network
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from reach_estate import HERE, SG, WORLD4, WORLD6, acl, entry, estate, group, rule

from exposure_audit.model.addresses import parse_cidr
from exposure_audit.model.inventory import AddressList, Filter, FilterSemantics, Inventory, Rule
from exposure_audit.reach.filters import FilterSet
from exposure_audit.reach.index import Index
from exposure_audit.reach.pieces import Pieces

FIRST, SECOND = f"{HERE}:security-group/sg-a", f"{HERE}:security-group/sg-b"
SOURCES = ("203.0.113.5", "203.0.113.200", "198.51.100.7", "192.0.2.7")
PORTS = (0, 21, 22, 80, 100, 101, 65535)


def priority_group(name: str, *ingress: Rule, default_allow: bool = False) -> Filter:
    """An Alibaba Cloud security group: smaller priority first, at equal priority the drop."""
    return Filter(
        id=name,
        kind="security-group",
        native_id=name.rpartition("/")[2],
        semantics="priority-drop-first",
        stateful=True,
        ingress=ingress,
        default_allow=default_allow,
    )


def passes(filters: FilterSet, source: str, protocol: int, port: int, *, possible: bool = False) -> bool:
    return held(filters.pieces(protocol, possible=possible), source, port)


def held(pieces: Pieces, source: str, port: int) -> bool:
    value = parse_cidr(source)[1][0]
    return any(
        piece.low <= port <= piece.high and any(low <= value <= high for low, high in piece.sources)
        for piece in pieces
    )


def read(*filters: Filter, ids: tuple[str, ...] | None = None, lists: tuple[AddressList, ...] = ()) -> FilterSet:
    world = estate(filters=filters, address_lists=lists)
    return FilterSet(Index(world), ids or tuple(item.id for item in filters), "ipv4")


def test_a_weaker_drop_does_not_close_and_a_stronger_one_does() -> None:
    accept = rule(22, WORLD4, order=10)
    weaker = rule(22, WORLD4, order=20, allow=False)
    stronger = rule(22, WORLD4, order=1, allow=False)
    assert passes(read(priority_group(FIRST, accept, weaker)), SOURCES[0], 6, 22)
    assert not passes(read(priority_group(FIRST, accept, stronger)), SOURCES[0], 6, 22)


def test_at_equal_priority_the_drop_wins_whichever_group_it_is_in() -> None:
    accept, drop = rule(22, WORLD4, order=5), rule(22, "203.0.113.0/24", order=5, allow=False)
    both = read(priority_group(FIRST, accept), priority_group(SECOND, drop))
    assert not passes(both, "203.0.113.5", 6, 22)
    assert passes(both, "198.51.100.7", 6, 22)


def test_rules_of_several_groups_are_one_list_so_a_union_of_accepts_would_be_wrong() -> None:
    # Group A accepts at 50, group B drops everything at 1: B decides for both.
    both = read(
        priority_group(FIRST, rule(None, WORLD4, protocol=None, order=50)),
        priority_group(SECOND, rule(None, WORLD4, protocol=None, order=1, allow=False)),
    )
    assert both.pieces(6, possible=False) == ()


def test_a_system_rule_at_priority_110_is_the_weakest() -> None:
    system = rule(None, WORLD4, protocol=None, order=110)
    manual = rule(3389, WORLD4, order=100, allow=False)
    filters = read(priority_group(FIRST, system, manual))
    assert passes(filters, SOURCES[0], 6, 22)
    assert not passes(filters, SOURCES[0], 6, 3389)


def test_a_default_of_allow_lets_in_what_no_rule_matches() -> None:
    filters = read(priority_group(FIRST, rule(22, "203.0.113.0/24", order=1, allow=False), default_allow=True))
    assert not passes(filters, "203.0.113.5", 6, 22)
    assert passes(filters, "198.51.100.7", 6, 22)
    assert passes(filters, "203.0.113.5", 17, 53)


def test_a_list_that_could_not_be_read_opens_nothing_for_sure_and_closes_nothing_perhaps() -> None:
    name = f"{HERE}:prefix-list/pl-1"
    unread = (AddressList(id=name, native_id="pl-1", entries=None),)
    accept = rule(22, address_lists=(name,), order=2)
    filters = read(priority_group(FIRST, accept), lists=unread)
    assert not passes(filters, SOURCES[0], 6, 22)
    assert passes(filters, SOURCES[0], 6, 22, possible=True)
    drop = rule(22, address_lists=(name,), order=1, allow=False)
    filters = read(priority_group(FIRST, drop, rule(22, WORLD4, order=2)), lists=unread)
    assert not passes(filters, SOURCES[0], 6, 22)
    assert passes(filters, SOURCES[0], 6, 22, possible=True)


def test_beside_an_unread_priority_group_nothing_is_sure() -> None:
    filters = read(priority_group(FIRST, rule(22, WORLD4, order=1)), ids=(FIRST, SECOND))
    assert filters.pieces(6, possible=False) == ()
    assert passes(filters, SOURCES[0], 6, 443, possible=True)


def test_beside_an_unread_allow_only_group_what_is_allowed_stays_sure() -> None:
    filters = read(group(rule(22, WORLD4)), ids=(SG, SECOND))
    assert passes(filters, SOURCES[0], 6, 22)
    assert not passes(filters, SOURCES[0], 6, 23)
    assert passes(filters, SOURCES[0], 6, 23, possible=True)


def test_several_acls_must_all_let_a_packet_in() -> None:
    one, two = acl(name=FIRST), acl(ingress=(entry(100, 22, protocol=6),), name=SECOND)
    filters = read(one, two)
    assert passes(filters, SOURCES[0], 6, 22)
    assert not passes(filters, SOURCES[0], 6, 23)


def test_a_text_that_is_no_cidr_is_unread_and_not_empty() -> None:
    filters = read(group(rule(22, "not-a-cidr")))
    assert not passes(filters, SOURCES[0], 6, 22)
    assert passes(filters, SOURCES[0], 6, 22, possible=True)
    assert "not-a-cidr" in filters.doubts[0].unread


def test_a_rule_for_all_protocols_ignores_its_ports() -> None:
    filters = read(group(Rule(native_id="r", protocol=None, port_from=22, port_to=22, cidrs=(WORLD4,))))
    assert passes(filters, SOURCES[0], 17, 53)


def test_no_filter_named_is_not_the_same_as_none() -> None:
    index = Index(estate())
    assert FilterSet(index, None, "ipv4").pieces(6, possible=False) != ()
    assert FilterSet(index, (), "ipv4").pieces(6, possible=False) == ()
    assert FilterSet(index, (), "ipv4").pieces(6, possible=True) != ()


# --- against one packet at a time --------------------------------------------------------------------------------


def _matches(item: Rule, source: str, protocol: int, port: int) -> bool:
    if item.protocol is not None and (item.protocol != protocol or not item.port_from <= port <= item.port_to):
        return False
    hosts = [ip_network(cidr) for cidr in item.cidrs]
    return any(ip_address(source) in block for block in hosts if block.version == 4)


def simple(filters: tuple[Filter, ...], source: str, protocol: int, port: int) -> bool:
    """What one packet meets, straight from the documents."""
    rules = [item for one in filters for item in one.ingress if _matches(item, source, protocol, port)]
    if filters[0].semantics == "union-of-allows":
        return any(item.allow for item in rules)
    if filters[0].semantics == "first-match":
        decisive = [
            next((item.allow for item in sorted(one.ingress, key=lambda r: r.order) if item in rules), False)
            for one in filters
        ]
        return all(decisive)
    if not rules:
        return any(one.default_allow for one in filters)
    strongest = min(item.order for item in rules)
    return all(item.allow for item in rules if item.order == strongest)


def _random_filters(seed: int) -> tuple[Filter, ...]:
    dice = random.Random(seed)
    kinds: tuple[FilterSemantics, ...] = ("union-of-allows", "first-match", "priority-drop-first")
    semantics = dice.choice(kinds)
    found = []
    for name in (FIRST, SECOND)[: dice.choice((1, 2))]:
        orders = (
            dice.sample(range(1, 9), 6) if semantics == "first-match" else [dice.randrange(1, 4) for _ in range(6)]
        )
        rules = tuple(
            Rule(
                native_id=f"{name}-{order}-{number}",
                allow=semantics == "union-of-allows" or dice.random() < 0.6,
                order=order,
                protocol=dice.choice((None, 6, 6, 17)),
                port_from=low,
                port_to=high,
                cidrs=(dice.choice((WORLD4, "203.0.113.0/24", "203.0.113.0/25", "192.0.0.0/3", WORLD6)),),
            )
            for number, order in enumerate(orders[: dice.randrange(7)])
            for low, high in [dice.choice(((0, 65535), (22, 22), (22, 100), (80, 80)))]
        )
        found.append(
            Filter(
                id=name,
                kind="security-group",
                native_id=name,
                semantics=semantics,
                stateful=True,
                ingress=rules,
                default_allow=semantics == "priority-drop-first" and dice.random() < 0.3,
            )
        )
    return tuple(found)


@given(st.integers(0, 2**40).map(_random_filters))
@settings(max_examples=200, deadline=None)
def test_every_semantics_agrees_with_one_packet_at_a_time(filters: tuple[Filter, ...]) -> None:
    held_set = FilterSet(Index(Inventory(filters=filters)), tuple(item.id for item in filters), "ipv4")
    for source in SOURCES:
        for protocol in (6, 17, 1):
            for port in PORTS:
                expected = simple(filters, source, protocol, port)
                assert passes(held_set, source, protocol, port) == expected, (source, protocol, port)


@given(st.integers(0, 2**40).map(_random_filters))
@settings(max_examples=50, deadline=None)
def test_pieces_are_ascending_disjoint_and_maximal(filters: tuple[Filter, ...]) -> None:
    held_set = FilterSet(Index(Inventory(filters=filters)), tuple(item.id for item in filters), "ipv4")
    pieces = held_set.pieces(6, possible=False)
    for left, right in pairwise(pieces):
        assert left.high < right.low
        assert left.high + 1 < right.low or left.sources != right.sources
