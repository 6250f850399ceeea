"""What the errno of a connect means in the closed vocabulary, and the one failure that is raised."""

import errno
import os
from typing import Literal

from exposure_audit.probe.endings import Kind

_KINDS: dict[int, tuple[Kind, str]] = {
    errno.ECONNREFUSED: ("refused", "connection refused"),
    # A RST in answer to our SYN is ECONNREFUSED: this one came after the handshake, so the port is open.
    errno.ECONNRESET: ("reset", "accepted and reset at once"),
    errno.ETIMEDOUT: ("no-answer", "no answer"),
    # Routers and firewalls on the way say this by ICMP: an answer about the address, not from it.
    errno.EHOSTUNREACH: ("no-answer", "an ICMP message says that the host is unreachable"),
    errno.EHOSTDOWN: ("no-answer", "the host is down"),
    errno.ENETUNREACH: ("local", "no route to this network from here"),
}


def ending_of(code: int) -> tuple[Kind, str]:
    """Return kind and words for an errno; what we do not know is our own failure, never a result."""
    return _KINDS.get(code, ("local", f"our side failed: {os.strerror(code)}"))


class TlsBroken(Exception):
    """The TLS session did not come about, or broke."""

    def __init__(self, kind: Literal["no-tls", "mutual-tls"], text: str) -> None:
        super().__init__(text)
        self.kind: Literal["no-tls", "mutual-tls"] = kind
        self.text = text
