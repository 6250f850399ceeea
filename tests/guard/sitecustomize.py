"""Refuses every connection that leaves loopback, in the tests and in every Python they start.

Inventories in tests hold public addresses; probing one of them must be impossible, not merely unlikely.
"""

import ipaddress
import sys


def _loopback(host: object) -> bool:
    if host in ("localhost", b"localhost", "", b"", None):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host).partition("%")[0])
    except ValueError:
        return False  # A name: resolving it would ask a name server.
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback or address.is_unspecified)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        host: object = arguments[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if not isinstance(address, tuple) or not address:
            return  # A Unix socket, or sendmsg on a connected one.
        host = address[0]
    else:
        return
    if not _loopback(host):
        raise PermissionError(f"the test guard refuses {event} to {host!r}: loopback only")


sys.addaudithook(_refuse)
