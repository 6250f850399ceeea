"""Which addresses will be asked what, how fast, and who was left out."""

from typing import Literal

import msgspec

from exposure_audit.model.observation import Transport

PLAN_VERSION = "1"


class ProbeCard(msgspec.Struct, frozen=True, kw_only=True):
    """What planning needs to know of a probe, without its code."""

    name: str
    service: str
    transport: Transport
    ports: tuple[int, ...] = ()
    """Ports where it usually speaks, in clear or TLS."""
    details: dict[str, type] = {}
    """The facts that rules may ask of it."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the scope guard lets out: everything else is refused below every probe."""

    targets: tuple[str, ...] = ()
    """Addresses and CIDRs that the inventory says are ours or that a target file names."""
    names: tuple[str, ...] = ()
    """DNS names that are ours; what they resolve to is checked again, each time."""
    allow_private: bool = False
    allow_loopback: bool = False
    loopback_only: bool = False


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of every conversation and of the whole run; seconds and bytes."""

    connect_seconds: float = 3.0
    total_seconds: float = 8.0
    """Wall clock of one conversation, connecting and writing included."""
    max_bytes: int = 65536
    """Received by one conversation."""
    max_connections: int = 6
    """To one (address, port)."""
    per_address_rate: float = 5.0
    """New connections a second to one address; 0 means no limit."""
    per_address_concurrency: int = 1
    global_rate: float = 500.0
    """New connections a second in all; 0 means no limit."""
    in_flight: int = 1000


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One (address, transport, port) to ask."""

    address: str
    """An address, or a name that is resolved just before the packet."""
    port: int
    transport: Transport
    probes: tuple[str, ...] = ()
    """Probe names in the order to try; the port orders the questions, the reply decides."""
    server_name: str = ""
    exposure: str = ""
    asset: str = ""


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Something reachable that will not be asked, and why."""

    address: str
    transport: str
    port_from: int | None
    port_to: int | None
    reason: str
    exposure: str = ""
    incomplete: bool = True
    """True when leaving it out means that something asked for was not looked at."""


class ProbePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks sorted by address and port, with scope and budget: enough to run it elsewhere."""

    schema_version: str = PLAN_VERSION
    origin: Literal["inventory", "targets"] = "targets"
    """`inventory`: ownership is checked again against a snapshot before the first packet."""
    tasks: tuple[Task, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    scope: Scope = Scope()
    budget: Budget = Budget()
    measure_amplification: bool = True
