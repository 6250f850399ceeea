"""What can reach what, and by which path.

Neither noun can be part of a circle, so the garbage collector is spared looking at millions of them.
"""

from typing import Literal

import msgspec

from exposure_audit.model.addresses import Family
from exposure_audit.model.internet import Breadth

Truth = Literal["true", "conditional", "unknown"]
Via = Literal["direct", "front", "behind-front", "service"]


class Hop(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One gate on the way in, and what let the traffic through."""

    gate: str
    """`internet-gateway`, `route`, `network-acl`, `security-group`, `listener`, `target`, `address`…"""
    native_id: str
    """What the provider calls the gate."""
    rule: str = ""
    """The native id of the very rule that allowed it."""
    text: str = ""
    """The hop as a person would say it."""
    truth: Truth = "true"
    """`conditional`: a named middlebox decides. `unknown`: this fact could not be read."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """These sources can reach this asset at this address, on these ports."""

    id: str
    """Stable while asset, address, transport and ports are: `exp-` and twelve hex digits."""
    asset: str
    native_id: str
    address: str
    """An address, or a DNS name for fronts and services."""
    family: Family
    transport: str
    """`tcp`, `udp`, `icmp`, or the protocol number."""
    port_from: int | None
    port_to: int | None
    sources: tuple[str, ...] = ()
    """Minimal CIDRs within the public space; empty when `sources_except` is shorter."""
    sources_except: tuple[str, ...] | None = None
    """All of the public space but these."""
    breadth: Breadth
    via: Via = "direct"
    front: str = ""
    """Asset id of the front, for `behind-front`."""
    target_port: int | None = None
    """The port that the front passes to, for `behind-front`; it differs from the listener's more often than not."""
    truth: Truth = "true"
    one_way: bool = False
    """UDP gets in, no answer gets out."""
    crafted_source_port: bool = False
    """Reachable only for clients that choose an unusual source port."""
    dormant: bool = False
    """A rule open to the world with nothing reachable behind it."""
    path: tuple[Hop, ...] = ()
