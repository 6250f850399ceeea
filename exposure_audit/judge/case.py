"""What is judged: everything that the stages before have gathered."""

from collections.abc import Mapping

import msgspec

from exposure_audit.judge.values import UNKNOWN
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Exclusion


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is judged."""

    inventory: Inventory = Inventory()
    exposures: tuple[Exposure, ...] = ()
    observations: tuple[Observation, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    probed: bool = False
    """Something was asked; False for `--no-probe`."""
    now: str = ""
    """UTC, RFC 3339: when this is judged; findings take it as `first_seen`."""
    usual_ports: Mapping[str, tuple[int, ...]] = {}
    """Service -> where it usually speaks. On a port that was not asked, a service is possible when the exposure
    includes one of its usual ports. Empty: every service is possible everywhere."""


_PLACES = {"provider": 0, "account": 1, "region": 2}


def stated(asset_id: str, what: str) -> object:
    """Return provider, account, region or kind as an id says them, `aws:<account>:<region>:<type>/<id>`.

    So an asset that could not be read, or that is no asset of the inventory (a filter), still has a place.
    """
    parts = asset_id.split(":", 3)
    if len(parts) < 4:
        return UNKNOWN
    return parts[_PLACES[what]] if what in _PLACES else parts[3].partition("/")[0] or UNKNOWN
