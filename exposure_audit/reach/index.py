"""Look-ups over an inventory, and what could not be read of it.

Three things make a fact unknown, never empty: a reference that leads nowhere, a coverage row that did not end `ok`,
and a noun that no call of the place was asked about.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from exposure_audit.model.addresses import Family, Intervals, intersect, normalise, parse_cidr
from exposure_audit.model.internet import PUBLIC
from exposure_audit.model.inventory import Gateway, Interface, Inventory, Noun, RouteTable, Rule

FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")
SPACE: dict[Family, Intervals] = {"ipv4": PUBLIC.ipv4, "ipv6": PUBLIC.ipv6}
"""The public space of a family: reach never speaks of other sources."""

Place = tuple[str, str, str]
"""Provider, account, region."""


def place_of(asset_id: str) -> Place:
    """Read provider, account and region from an asset id."""
    provider, account, region, *_ = (*asset_id.split(":", 3), "", "", "")
    return provider, account, region


def native_of(asset_id: str) -> str:
    """Read the provider's own id from an asset id; for when the noun itself could not be read."""
    tail = asset_id.split(":", 3)[-1]
    return tail.partition("/")[2] or tail


def destination_name(destination: str) -> str:
    """Name where a route leads from: a CIDR as it is, an address list by its own id."""
    length = destination.rpartition("/")[2]
    return destination if length.isdigit() else native_of(destination)


class Sources(NamedTuple):
    """Which addresses of one family a rule or a route means."""

    known: Intervals
    unread: str = ""
    """Why there may be more than these; empty when they are all."""


class Index:
    """An inventory, indexed for walking."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.assets = {asset.id: asset for asset in inventory.assets}
        self.networks = {network.id: network for network in inventory.networks}
        self.subnets = {subnet.id: subnet for subnet in inventory.subnets}
        self.filters = {item.id: item for item in inventory.filters}
        self.lists = {item.id: item for item in inventory.address_lists}
        self.gateways = {gateway.id: gateway for gateway in inventory.gateways}
        self.fronts = {front.id: front for front in inventory.fronts}
        self.doors = {door.id: door for door in inventory.doors}
        self.interfaces_of: dict[str, list[Interface]] = defaultdict(list)
        self.interfaces_at: dict[str, list[Interface]] = defaultdict(list)
        for interface in sorted(inventory.interfaces, key=lambda item: item.id):
            self.interfaces_of[interface.asset].append(interface)
            for address in interface.private_addresses:
                self.interfaces_at[address].append(interface)
        self._attached: dict[str, list[Gateway]] = defaultdict(list)
        for gateway in sorted(inventory.gateways, key=lambda item: item.id):
            for name in gateway.networks if gateway.kind == "internet" else ():
                self._attached[name].append(gateway)
        self._index_tables(inventory.route_tables)
        self._index_coverage(inventory)
        self._cidrs: dict[str, tuple[Family, tuple[int, int]] | None] = {}
        self._public: dict[str, tuple[Family, Intervals] | None] = {}

    def _index_tables(self, tables: Iterable[RouteTable]) -> None:
        self._table_of: dict[str, RouteTable] = {}
        self._main_of: dict[str, RouteTable] = {}
        self._edge_of: dict[str, RouteTable] = {}
        for table in sorted(tables, key=lambda item: item.id):
            self._table_of.update(dict.fromkeys(table.subnets, table))
            self._edge_of.update(dict.fromkeys(table.gateways, table))
            if table.main:
                self._main_of[table.network] = table

    def _index_coverage(self, inventory: Inventory) -> None:
        self._gaps: dict[tuple[str, str, str, str], str] = {}
        self._told: set[tuple[str, str, str, str]] = set()
        for row in sorted(inventory.coverage, key=lambda row: (row.provider, row.account, row.region, row.call)):
            for noun in row.yields:
                key = (row.provider, row.account, row.region, noun)
                if row.status == "ok":
                    self._told.add(key)
                else:
                    why = f"{row.call}: {row.detail or row.status}"
                    self._gaps[key] = f"{self._gaps[key]}; {why}" if key in self._gaps else why
        present: dict[Noun, Iterable[str]] = {
            "interface": (interface.id for interface in inventory.interfaces),
            "gateway": self.gateways,
            "front": self.fronts,
            "door": self.doors,
        }
        for noun, ids in present.items():
            self._told.update((*place_of(one), noun) for one in ids)

    def gap(self, asset_id: str, noun: Noun) -> str:
        """Say which call that tells of a noun failed where this asset is; empty when none did."""
        provider, account, region = place_of(asset_id)
        found = (self._gaps.get((provider, account, where, noun)) for where in (region, "global"))
        return next(filter(None, found), "")

    def unread(self, asset_id: str, noun: Noun) -> str:
        """Say why a noun is not known where this asset is; empty when everything of it was read."""
        provider, account, region = place_of(asset_id)
        if why := self.gap(asset_id, noun):
            return why
        if any((provider, account, where, noun) in self._told for where in (region, "global")):
            return ""
        return f"nothing in {region or 'this place'} of account {account or '?'} was asked about it"

    def why_missing(self, asset_id: str, noun: Noun) -> str:
        """Say why one named thing is not in the inventory: the call that failed, or a reference that dangles."""
        return self.gap(asset_id, noun) or "it is not among what was read"

    def native(self, asset_id: str) -> str:
        """Return what the provider calls an asset."""
        asset = self.assets.get(asset_id)
        return asset.native_id if asset else native_of(asset_id)

    def gateways_of(self, network: str) -> list[Gateway]:
        """Return the internet gateways attached to a network."""
        return self._attached.get(network, [])

    def edge_table(self, gateway: str) -> RouteTable | None:
        """Return the table that routes what enters by a gateway, if it has one of its own."""
        return self._edge_of.get(gateway)

    def table_of(self, subnet: str, network: str) -> RouteTable | None:
        """Return the route table of a subnet: its explicit association, else its own network's main table.

        https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html: an explicit association replaces
        the main table. Main tables of other networks say nothing, and an association that may not have been read
        is no reason to take the main table. None: unknown.
        """
        explicit = self._table_of.get(subnet)
        if explicit or not subnet or self.gap(subnet, "route-table"):
            return explicit
        return self._main_of.get(network)

    def cidr(self, text: str) -> tuple[Family, tuple[int, int]] | None:
        """Parse a CIDR once; None when it means nothing."""
        if text not in self._cidrs:
            try:
                self._cidrs[text] = parse_cidr(text)
            except ValueError:
                self._cidrs[text] = None
        return self._cidrs[text]

    def intervals(self, cidrs: Iterable[str], family: Family) -> Intervals:
        """Return the intervals of one family; what means nothing is left out."""
        parsed = [self.cidr(text) for text in cidrs]
        return normalise(item[1] for item in parsed if item and item[0] == family)

    def public_part(self, text: str) -> tuple[Family, Intervals] | None:
        """Return the family of one CIDR and what it holds of the public space; None when it means nothing."""
        if text not in self._public:
            parsed = self.cidr(text)
            self._public[text] = (parsed[0], intersect((parsed[1],), SPACE[parsed[0]])) if parsed else None
        return self._public[text]

    def sources(self, rule: Rule, family: Family) -> Sources:
        """Resolve who a rule means: CIDRs and address lists. Groups are private addresses, never the internet."""
        found: list[str] = list(rule.cidrs)
        unread = [f"{text!r} is no CIDR" for text in rule.cidrs if self.cidr(text) is None]
        for name in rule.address_lists:
            entries, why = self.entries(name)
            found += entries
            unread += [why] if why else []
        return Sources(self.intervals(found, family), "; ".join(unread))

    def entries(self, list_id: str) -> tuple[tuple[str, ...], str]:
        """Return the CIDRs of an address list, and why they are not all when they are not."""
        item = self.lists.get(list_id)
        if item is None or item.entries is None:
            name = item.native_id if item else native_of(list_id)
            return (), f"address list {name} could not be read: {self.why_missing(list_id, 'address-list')}"
        bad = [text for text in item.entries if self.cidr(text) is None]
        return item.entries, f"address list {item.native_id} holds {bad[0]!r}, which is no CIDR" if bad else ""
