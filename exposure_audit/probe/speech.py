"""What the first bytes of a reply give away, whoever they were meant for."""

from typing import Literal

Speech = Literal["silence", "tls", "http", "line", "binary"]

_ALERT, _HANDSHAKE = 0x15, 0x16
# What Go, nginx, Apache, Jetty/Netty and Tomcat say in clear to HTTP on a TLS port.
_HTTPS_WANTED = (
    b"HTTP request to an HTTPS server",
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"requires TLS",
    b"This combination of host and port requires TLS",
)


def speech(said: bytes) -> Speech:
    """Name the kind of a reply to a question in clear: narrows what is asked next."""
    if not said:
        return "silence"
    # RFC 8446 section 5.1: type, then legacy version 3.x.
    if len(said) >= 2 and said[0] in {_ALERT, _HANDSHAKE} and said[1] == 3:
        return "tls"
    if said.startswith(b"HTTP/"):
        return "tls" if any(words in said for words in _HTTPS_WANTED) else "http"
    line = said.split(b"\n", 1)[0].rstrip(b"\r")
    printable = bool(line) and all(32 <= byte < 127 or byte == 9 for byte in line)
    return "line" if printable else "binary"
