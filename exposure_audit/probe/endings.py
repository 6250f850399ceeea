"""The closed vocabulary of what can come of one conversation. Everything the driver sees is one of these."""

from typing import Literal

import msgspec

from exposure_audit.model.observation import Facts
from exposure_audit.probe.contract import Probe

Kind = Literal[
    "facts",  # The probe recognised the peer.
    "not-this",  # It speaks another protocol.
    "spoke-first",  # It said something before it was asked, and the probe expects to ask first.
    "ended",  # It closed the connection in the middle.
    "reset",  # The same, with RST.
    "stalled",  # It kept silent, or dripped, until the time was over.
    "flooded",  # It said more than the budget allows.
    "no-tls",  # No TLS handshake came about.
    "mutual-tls",  # It demands a client certificate.
    "refused",  # RST or ICMP port unreachable in answer to the first packet.
    "no-answer",  # Silence in answer to the first packet, or ICMP host unreachable.
    "out-of-scope",  # The guard refused the packet.
    "local",  # Our side could not ask: no route, no sockets, no such name.
    "crashed",  # The probe raised what no probe may raise.
]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation to be had: which probe, in clear or over TLS, and how patiently."""

    probe: Probe | None
    """None: connect and nothing else."""
    tls: bool = False
    patience: float
    """Seconds of silence after which a reply is no longer expected."""
    listen: float = 0.0
    """Seconds to wait for a server that speaks first, before the first question."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How one conversation ended."""

    kind: Kind
    facts: Facts | None = None
    said: bytes = b""
    """The first bytes that the peer said, at most `SAID_BYTES`."""
    text: str = ""
    """More about it, in our words."""
    tls: bool = False
    """A TLS session stood when it ended."""
    connections: int = 1
    open_seconds: float = 0.0
    """From the established connection to its end."""


SAID_BYTES = 1024
