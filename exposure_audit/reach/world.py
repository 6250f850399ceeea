"""The index with what was computed from it: postures and gates are made once and shared by every walk."""

from exposure_audit.model.addresses import Family, Intervals
from exposure_audit.model.inventory import Inventory
from exposure_audit.reach.emit import Writer
from exposure_audit.reach.filters import Book, Direction, FilterSet
from exposure_audit.reach.index import Index
from exposure_audit.reach.posture import Posture
from exposure_audit.reach.subnet import SubnetGate


class World:
    """One analysis of one inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self.index = Index(inventory)
        self.writer = Writer()
        self._gates: dict[tuple[str, str, Family], SubnetGate] = {}
        self._filters: dict[tuple[tuple[str, ...] | None, Family], FilterSet] = {}
        self._book: Book = {}
        self._inner: dict[tuple[object, ...], FilterSet] = {}
        self._postures: dict[tuple[tuple[str, ...] | None, str, str, Family], Posture] = {}

    def gate(self, subnet: str, network: str, family: Family) -> SubnetGate:
        """What a subnet lets in."""
        key = (subnet, network, family)
        if key not in self._gates:
            self._gates[key] = SubnetGate(self.index, subnet, network, family)
        return self._gates[key]

    def filters(self, ids: tuple[str, ...] | None, family: Family) -> FilterSet:
        """What filters let in from the internet."""
        key = (None if ids is None else tuple(sorted(set(ids))), family)
        if key not in self._filters:
            self._filters[key] = FilterSet(self.index, key[0], family, book=self._book)
        return self._filters[key]

    def inner_filters(
        self,
        ids: tuple[str, ...] | None,
        family: Family,
        *,
        space: Intervals,
        groups: tuple[str, ...] = (),
        direction: Direction,
        kind: str = "security-group",
    ) -> FilterSet:
        """What filters let through between addresses inside a network, or from some clients only."""
        key = (ids, family, space, groups, direction, kind)
        if key not in self._inner:
            self._inner[key] = FilterSet(
                self.index, ids, family, direction=direction, kind=kind, space=space, groups=groups
            )
        return self._inner[key]

    def posture(self, ids: tuple[str, ...] | None, subnet: str, network: str, family: Family) -> Posture:
        """What reaches anything with these filters in this subnet."""
        known = None if ids is None else tuple(sorted(set(ids)))
        key = (known, subnet, network, family)
        if key not in self._postures:
            self._postures[key] = Posture(self.filters(known, family), self.gate(subnet, network, family))
        return self._postures[key]
