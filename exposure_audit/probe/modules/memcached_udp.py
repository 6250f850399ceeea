"""Memcached over UDP: answers strangers, and with how many bytes.

Each datagram starts with request id, number, count and zero, two bytes each; UDP cannot be combined with a login.
https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

import struct
from collections.abc import Generator

from exposure_audit.model.observation import Amplification, Facts
from exposure_audit.probe.codec.datagrams import Answers, ask
from exposure_audit.probe.contract import Command, Conversation, NotThis, Peer, Probe

_HEADER = 8


def _ask(number: int, command: bytes) -> Generator[Command, bytes, Answers]:
    ident = struct.pack("!H", number & 0xFFFF)

    def ours(datagram: bytes) -> bool:
        return len(datagram) > _HEADER and datagram[:2] == ident

    def last(found: tuple[bytes, ...]) -> bool:
        return len(found) >= int.from_bytes(found[0][4:6], "big")

    return (yield from ask(ident + b"\0\0\0\1\0\0" + command, ours=ours, last=last))


def _converse(peer: Peer) -> Conversation:
    small = yield from _ask(peer.nonce, b"version\r\n")
    text = small.datagrams[0][_HEADER:] if small.datagrams else b""
    if not text.startswith(b"VERSION ") or not text.endswith(b"\r\n"):
        raise NotThis("no VERSION over UDP" if small.datagrams else "no answer")
    measured: Amplification = small.amplification
    evidence = text.strip()
    if peer.measure_amplification:
        large = yield from _ask(peer.nonce + 1, b"stats\r\n")
        if any(one[_HEADER:].startswith(b"STAT ") for one in large.datagrams):
            measured = large.amplification
            evidence += b" | stats: %d bytes for %d" % (measured.bytes_in, measured.bytes_out)
    return Facts(
        service="memcached",
        product="Memcached",
        version=text[8:].strip().decode("latin-1"),
        # Even VERSION is longer than its question; a proxy in between that shortens it still answers strangers.
        verdict="amplifier" if measured.factor > 1 else "unauthenticated",
        access="metadata",
        evidence=evidence,
        amplification=measured,
    )


PROBE = Probe(
    name="memcached-udp",
    service="memcached",
    title="Memcached over UDP",
    transport="udp",
    ports=(11211,),
    family="line",
    safety="measure",
    sends=("version", "stats, once, when amplification may be measured"),
    never="gets a key, asks twice for the large answer, sends from a forged address",
    details={},
    converse=_converse,
)
