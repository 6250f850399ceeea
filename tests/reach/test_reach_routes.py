"""Which sources a route table answers through the internet gateway."""

from reach_estate import HERE, IGW, OUT4, OUT6, VPC, WORLD4, estate, table

from exposure_audit.model.addresses import AddressSet
from exposure_audit.model.internet import PUBLIC
from exposure_audit.model.inventory import AddressList, Network, Route
from exposure_audit.reach.index import Index
from exposure_audit.reach.routes import CERTAIN, POSSIBLE, Routing, routing

LIST = f"{HERE}:prefix-list/pl-1"
PRIVATE = Route(destination="203.0.113.0/24", target="private", target_id="tgw-1")


def answered(*routes: Route, entries: tuple[str, ...] | None = ("203.0.113.0/24",)) -> Routing:
    index = Index(estate(address_lists=(AddressList(id=LIST, native_id="pl-1", entries=entries),)))
    return routing(index, table(*routes), VPC, "ipv4")


def certain(*routes: Route) -> AddressSet:
    return AddressSet(ipv4=answered(*routes).levels[CERTAIN])


EVERYBODY = PUBLIC.only("ipv4")


def test_a_default_route_answers_everybody() -> None:
    assert certain(OUT4) == EVERYBODY
    assert certain(OUT6) == AddressSet()


def test_a_longer_prefix_takes_its_part_away_whatever_the_order() -> None:
    expected = EVERYBODY - AddressSet.of("203.0.113.0/24")
    assert certain(OUT4, PRIVATE) == expected
    assert certain(PRIVATE, OUT4) == expected


def test_the_routes_of_a_prefix_list_count_one_by_one() -> None:
    listed = Route(destination=LIST, target="private", target_id="tgw-1")
    assert certain(OUT4, listed) == EVERYBODY - AddressSet.of("203.0.113.0/24")


def test_static_beats_list_beats_propagated_for_equal_prefixes() -> None:
    static = Route(destination="203.0.113.0/24", target="internet", target_id=IGW)
    listed = Route(destination=LIST, target="private", target_id="tgw-1")
    learned = Route(destination="203.0.113.0/24", target="private", target_id="vgw-1", propagated=True)
    by_list = Route(destination=LIST, target="internet", target_id=IGW)
    assert certain(static, listed, learned) == AddressSet.of("203.0.113.0/24")
    assert certain(by_list, learned) == AddressSet.of("203.0.113.0/24")
    assert certain(learned, listed) == AddressSet()


def test_equal_routes_with_different_ends_are_unknown() -> None:
    one = Route(destination=WORLD4, target="internet", target_id=IGW)
    other = Route(destination=WORLD4, target="private", target_id="tgw-1")
    found = answered(one, other)
    assert found.levels[CERTAIN] == ()
    assert AddressSet(ipv4=found.levels[POSSIBLE]) == EVERYBODY


def test_an_unread_list_may_lead_anybody_away_or_to_the_gateway() -> None:
    away = answered(OUT4, Route(destination=LIST, target="private", target_id="vpce-s3"), entries=None)
    assert away.levels[CERTAIN] == ()
    assert AddressSet(ipv4=away.levels[POSSIBLE]) == EVERYBODY
    towards = answered(PRIVATE, Route(destination=LIST, target="internet", target_id=IGW), entries=None)
    assert towards.levels[CERTAIN] == ()
    assert AddressSet(ipv4=towards.levels[POSSIBLE]) == EVERYBODY


def test_an_unread_list_that_leads_away_opens_nothing_where_nothing_was_open() -> None:
    found = answered(Route(destination=LIST, target="private", target_id="vpce-s3"), entries=None)
    assert found.levels == ((), (), ())


def test_publicly_routable_addresses_of_the_network_itself_are_not_the_internet() -> None:
    network = Network(id=VPC, native_id="vpc-1", cidrs=("198.51.100.0/24",))
    found = routing(Index(estate(networks=(network,))), table(OUT4), VPC, "ipv4")
    assert AddressSet(ipv4=found.levels[CERTAIN]) == EVERYBODY - AddressSet.of("198.51.100.0/24")
