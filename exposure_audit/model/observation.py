"""What was asked of an address and port, and what it said."""

from typing import Literal

import msgspec

Verdict = Literal[
    "unauthenticated",
    "limited",
    "setup",
    "amplifier",
    "auth-required",
    "blocked",
    "public-info",
    "unidentified",
    "closed",
    "filtered",
    "error",
]
Access = Literal["none", "metadata", "read", "write", "execute"]
Transport = Literal["tcp", "udp"]

EVIDENCE_BYTES = 256


class Amplification(msgspec.Struct, frozen=True, kw_only=True):
    """Payload bytes sent and received for one request from our own address (as US-CERT TA14-017A counts)."""

    bytes_out: int
    bytes_in: int
    packets_in: int
    factor: float
    """bytes_in / bytes_out, two decimals."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe learned; never a judgement. A probe that recognises nothing raises NotThis instead."""

    service: str
    """The protocol spoken: `clickhouse`, `redis`, `elasticsearch`, `memcached`, `ntp`."""
    verdict: Verdict
    access: Access = "none"
    product: str = ""
    """`ClickHouse`, `Valkey`, `OpenSearch`…"""
    version: str = ""
    evidence: bytes = b""
    """The bytes that prove the verdict; cut and redacted by the driver."""
    amplification: Amplification | None = None
    details: dict[str, str | int | bool] = {}
    """Facts of this protocol, by the names and types that the probe declares."""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One asked (address, transport, port), and what came of it."""

    address: str
    port: int
    transport: Transport
    tls: bool = False
    server_name: str = ""
    """The name sent in SNI and Host, when there was one."""
    dialled: str = ""
    """The address that the name resolved to and that was asked; empty when `address` is one already."""
    probe: str = ""
    """The probe that recognised it, or that was running when it ended."""
    service: str = ""
    product: str = ""
    version: str = ""
    verdict: Verdict
    access: Access = "none"
    evidence: str = ""
    """Redacted, at most 256 bytes, foreign text: tamed before it is shown."""
    reason: str = ""
    """Why, for `error`, `filtered`, `closed` and `unidentified`: one line of ours."""
    amplification: Amplification | None = None
    details: dict[str, str | int | bool] = {}
    connections: int = 0
    duration_ms: int = 0
    observed_at: str = ""
    """UTC, RFC 3339, whole seconds."""
    exposure: str = ""
    """Id of the exposure that led here; empty for plain targets."""
    asset: str = ""
