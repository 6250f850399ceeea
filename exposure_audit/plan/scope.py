"""What is ours: the addresses and names that an inventory proves to belong to the audited accounts."""

from exposure_audit.model.addresses import AddressSet
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.plan import Scope


def owned(inventory: Inventory) -> Scope:
    """Return the scope that the inventory justifies: public addresses in use, names of fronts and services."""
    addresses = sorted({address.address for interface in inventory.interfaces for address in interface.addresses})
    names = {front.dns_name for front in inventory.fronts if front.public}
    names |= {door.dns_name for door in inventory.doors if door.public is not False}
    return Scope(targets=tuple(addresses), names=tuple(sorted(names - {""})))


def within(scope: Scope, limits: Scope) -> Scope:
    """Return the part of a scope that the limits also hold; permissions only where both give them.

    A plan may have been written long ago, or by somebody else: what it names and the snapshot no longer
    holds is dropped here, just before the packet.
    """
    allowed = AddressSet.of(*limits.targets)
    both = AddressSet.of(*scope.targets) & allowed
    return Scope(
        targets=both.cidrs(),
        names=tuple(name for name in scope.names if name in set(limits.names)),
        allow_private=scope.allow_private,
        allow_loopback=scope.allow_loopback,
        loopback_only=scope.loopback_only,
    )
