"""TLS without a socket: bytes in, bytes out.

Identity is not the question here, exposure is: certificates are not verified, and old servers are reached too
(TLS 1.0 up, every cipher that this OpenSSL still has). Nothing secret is ever sent.
"""

import ssl
from contextlib import suppress
from functools import cache

from exposure_audit.model.addresses import parse_cidr
from exposure_audit.probe.failures import TlsBroken

_CHUNK = 16384
_DEMANDS = (
    "CERTIFICATE_REQUIRED",  # TLS 1.3, RFC 8446 section 6.2.
    "BAD_CERTIFICATE",  # Go, rustls and others, also in TLS 1.2.
    "PEER_DID_NOT_RETURN_A_CERTIFICATE",
)


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    # Servers before RFC 5746, and peers that hang up without close_notify.
    context.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0x4
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def sni(name: str) -> str | None:
    """Return the name to send in SNI: RFC 6066 section 3 forbids address literals there."""
    if not name:
        return None
    try:
        parse_cidr(name)
    except ValueError:
        return name
    return None


class TlsLayer:
    """One client session."""

    __slots__ = ("_asked", "_in", "_object", "_out", "_raw", "ended", "ready")

    def __init__(self, name: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = _context().wrap_bio(self._in, self._out, server_hostname=sni(name))
        self._raw: bytearray | None = bytearray()
        self._asked = False
        self.ready = False
        self.ended = False

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the wire."""
        if self._raw is not None and not self.ready:
            self._raw += data
            self._asked = self._asked or asks_for_certificate(self._raw)
            if len(self._raw) > 4 * _CHUNK:
                self._raw = None
        self._in.write(data)

    def feed_end(self) -> None:
        """The peer will send no more."""
        self._in.write_eof()

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is done. Raises TlsBroken."""
        try:
            self._object.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except (OSError, ValueError) as error:
            raise self._failure(error) from None
        self.ready, self._raw = True, None
        return True

    def read(self) -> bytes:
        """Return what was decrypted; b"" when there is nothing yet. Sets `ended`. Raises TlsBroken."""
        parts = []
        try:
            while data := self._object.read(_CHUNK):
                parts.append(data)
            self.ended = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.ended = True
        except OSError as error:
            self.ended = True
            if not parts:
                raise self._failure(error) from None
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Encrypt; the bytes for the wire are in `outgoing`. Raises TlsBroken."""
        try:
            self._object.write(data)
        except OSError as error:
            raise self._failure(error) from None

    def outgoing(self) -> bytes:
        """Return bytes that must go to the wire."""
        return self._out.read()

    def goodbye(self) -> bytes:
        """Return a close_notify."""
        with suppress(OSError, ValueError):  # The peer has not answered it, and need not.
            self._object.unwrap()
        return self._out.read()

    def _failure(self, error: Exception) -> TlsBroken:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        refused = self._asked and not self.ready  # It asked for a certificate, and ended the handshake without.
        if refused or any(word in reason for word in _DEMANDS):
            return TlsBroken("mutual-tls", "the server demands a client certificate")
        return TlsBroken("no-tls", f"no TLS: {reason.replace('_', ' ').lower()}"[:120])


def asks_for_certificate(raw: bytes | bytearray) -> bool:
    """Say whether the clear part of a handshake holds a CertificateRequest (TLS 1.2 and older, RFC 5246 7.4.4)."""
    at, messages = 0, bytearray()
    while at + 5 <= len(raw) and raw[at] == 22:
        size = int.from_bytes(raw[at + 3 : at + 5], "big")
        messages += raw[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == 13:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4], "big")
    return False
