"""NTP: the time for everybody, and the questions of mode 6 and mode 7 that amplify.

RFC 5905 (time), RFC 9327 (mode 6), ntp_request.h of the reference implementation (mode 7).
The list that mode 7 gives holds addresses of third parties: it is counted and thrown away.
"""

import re
import struct
from collections.abc import Generator

import msgspec

from exposure_audit.model.observation import Amplification, Facts, Verdict
from exposure_audit.probe.codec.datagrams import Answers, ask
from exposure_audit.probe.contract import Command, Conversation, NotThis, Peer, Probe

_MONLIST = b"\x17\x00\x03\x2a\x00\x00\x00\x00"
_ITEM_SIZES = {32, 72}
_VARIABLE = re.compile(r'(\w+)=("[^"]*"|[^,\r\n]*)')
_BUILD = re.compile(r"ntpsec-(\d[\w.+-]*)|ntpd (\d[\w.+-]*)")


class _Control(msgspec.Struct, frozen=True):
    """Answers to one READVAR."""

    answers: Answers
    variables: dict[str, str]


def _first(_: tuple[bytes, ...]) -> bool:
    return True


def _time(nonce: int) -> Generator[Command, bytes, bytes]:
    """A client's question (mode 3); the answer (mode 4) must repeat our transmit time. b"" without one."""
    stamp = struct.pack("!II", nonce & 0xFFFFFFFF, 0x45415544)

    def ours(reply: bytes) -> bool:
        return len(reply) >= 48 and reply[0] & 7 == 4 and reply[24:32] == stamp

    answers = yield from ask(b"\x23" + bytes(39) + stamp, ours=ours, last=_first)
    return answers.datagrams[0] if answers.datagrams else b""


def _readvar(sequence: int, names: bytes = b"") -> Generator[Command, bytes, _Control]:
    request = struct.pack("!BBHHHHH", 0x16, 2, sequence & 0xFFFF, 0, 0, 0, len(names))

    def ours(reply: bytes) -> bool:
        same = len(reply) >= 12 and reply[2:4] == request[2:4]
        return same and reply[0] & 0x3F == 0x16 and reply[1] & 0xDF == 0x82

    def last(found: tuple[bytes, ...]) -> bool:
        return not found[-1][1] & 0x20

    padding = bytes(-len(names) % 4)
    answers = yield from ask(request + names + padding, ours=ours, last=last)
    data = b"".join(one[12 : 12 + int.from_bytes(one[10:12], "big")] for one in answers.datagrams)
    found = _VARIABLE.findall(data.decode("latin-1"))
    return _Control(answers, {name: value.strip('"') for name, value in found})


def _monlist() -> Generator[Command, bytes, tuple[Answers, int]]:
    """Ask once for the list of recent clients; return the answers and the number of items in them."""

    def ours(reply: bytes) -> bool:
        return len(reply) >= 8 and reply[0] & 0xBF == 0x97 and reply[3] == 0x2A

    def last(found: tuple[bytes, ...]) -> bool:
        return not found[-1][0] & 0x40

    answers = yield from ask(_MONLIST, ours=ours, last=last)
    items = 0
    for reply in answers.datagrams:
        error, count = reply[4] >> 4, int.from_bytes(reply[4:6], "big") & 0xFFF
        size = int.from_bytes(reply[6:8], "big") & 0xFFF
        if error == 0 and size in _ITEM_SIZES and len(reply) >= 8 + count * size:
            items += count
    return answers, items


def _verdict(measured: Amplification | None, time: bytes, control: bool) -> Verdict:
    if measured is not None and measured.factor > 1:
        return "amplifier"
    kiss = time[12:16] if len(time) >= 48 and time[1] == 0 else b""
    if not control and kiss in {b"DENY", b"RSTR"}:
        return "blocked"
    return "public-info"


def _converse(peer: Peer) -> Conversation:
    time = yield from _time(peer.nonce)
    control = yield from _readvar(peer.nonce, b"version")
    if not time and not control.variables:
        raise NotThis("neither the time nor a version")
    details: dict[str, str | int | bool] = {"mode6": bool(control.variables)}
    measured: list[Amplification] = []
    variables = control.variables
    if variables:
        measured.append(control.answers.amplification)
    if peer.measure_amplification:
        if variables:
            whole = yield from _readvar(peer.nonce + 1)
            measured += [whole.answers.amplification] if whole.variables else []
            variables = variables | whole.variables
        listed, items = yield from _monlist()
        details["mode7"] = bool(listed.datagrams)
        details["monlist_items"] = items
        if items:
            measured.append(listed.amplification)
    for name in ("system", "processor", "refid"):
        if name in variables:
            details[name] = variables[name]
    if time:
        details["stratum"] = time[1]
    build = _BUILD.search(variables.get("version", ""))
    largest = max(measured, key=lambda one: one.factor, default=None)
    return Facts(
        service="ntp",
        product=("NTPsec" if build[1] else "ntpd") if build else "",
        version=(build[1] or build[2]) if build else "",
        verdict=_verdict(largest, time, bool(control.variables)),
        access="metadata" if control.variables or details.get("monlist_items") else "none",
        evidence=(variables.get("version", "") or f"mode 4, stratum {time[1] if time else '?'}").encode(),
        amplification=largest,
        details=details,
    )


PROBE = Probe(
    name="ntp",
    service="ntp",
    title="NTP",
    transport="udp",
    ports=(123,),
    family="binary",
    safety="measure",
    sends=(
        "mode 3: the time",
        "mode 6: READVAR version",
        "mode 6: READVAR, once, when amplification may be measured",
        "mode 7: MON_GETLIST_1, once, when amplification may be measured",
    ),
    never="keeps the addresses in the list of clients, sends from a forged address",
    details={
        "mode6": bool,
        "mode7": bool,
        "monlist_items": int,
        "stratum": int,
        "system": str,
        "processor": str,
        "refid": str,
    },
    converse=_converse,
)
