"""From an inventory to everything that the internet can reach, each with the path that makes it true."""

from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Inventory
from exposure_audit.reach.doors import doors
from exposure_audit.reach.dormant import dormant
from exposure_audit.reach.emit import order
from exposure_audit.reach.fronts import fronts
from exposure_audit.reach.walk import interfaces
from exposure_audit.reach.world import World


def find_exposures(inventory: Inventory) -> tuple[Exposure, ...]:
    """Return all exposures, and the dormant rules, sorted by asset, address, transport and ports.

    Pure: the same inventory in any order gives the same answer. An exposure is (sources, protocol, port) that meets
    a live public address, an attached internet gateway with a route back, no block of public access, a network ACL
    both ways and a filter that allows it. What could not be read is taken at its most open and makes the truth
    `unknown`; it is never left out.
    """
    world = World(inventory)
    reachable = [*interfaces(world), *fronts(world), *doors(world)]
    found = {exposure.id: exposure for exposure in sorted(reachable, key=order)}
    found.update((exposure.id, exposure) for exposure in dormant(world, reachable))
    return tuple(sorted(found.values(), key=order))
