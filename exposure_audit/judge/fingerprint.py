"""What makes two findings the same one, from scan to scan.

The meaning of a finding is its rule, the asset (the address, when nobody knows the asset), the transport, the port
or the class of ports, and the kind of subject. Title, severity, wording, the order of rules and addresses that
change with each restart are no part of it.
"""

from hashlib import sha256

import msgspec

VERSION = "ea1"


class Meaning(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Two findings with the same meaning are one."""

    rule: str
    subject: str
    """Asset id, or the address when there is no asset."""
    transport: str = ""
    port: str = ""
    """A number, or `range`."""
    kind: str = ""
    """`exposure`, `behind-front`, `dormant`, `target`, `asset`."""


def fingerprint(meaning: Meaning) -> str:
    """Return `ea1:` and 24 hex digits: 96 bits, so that a chance collision among a billion is below 10^-10."""
    parts = (VERSION, meaning.rule, meaning.subject, meaning.transport, meaning.port, meaning.kind)
    # Lengths are part of the text: no choice of names can move a boundary.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"{VERSION}:{sha256(text.encode()).hexdigest()[:24]}"
