"""Reads what a person wants asked: host, host:port, host:port/udp or CIDR, one a line."""

import re
from difflib import get_close_matches

import msgspec

from exposure_audit.errors import InputFileError
from exposure_audit.model.addresses import AddressSet, Family, format_address, parse_cidr
from exposure_audit.model.observation import Transport

MAX_ADDRESSES = 65_536
"""Of one line: a /16. A larger block is a typing mistake more often than an audit."""

_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?"
)
_MEND = "write host, host:port, host:port/udp, [ipv6]:port or a CIDR"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a name, or a block of addresses; port None means every port that the catalog knows."""

    name: str = ""
    block: str = ""
    """CIDR in its shortest form."""
    port: int | None = None
    transport: Transport | None = None
    """None only together with port None: both transports are asked."""

    def addresses(self) -> tuple[str, ...]:
        """Every address of the block, ascending; the name when it is a name."""
        if self.name:
            return (self.name,)
        family, (low, high) = parse_cidr(self.block)
        return tuple(format_address(family, value) for value in range(low, high + 1))


def parse_target(text: str, *, where: str = "") -> Target:
    """Read one target. Raises InputFileError that says what is wrong and how to write it."""
    host, port, transport = _split(text.strip(), where)
    try:
        family, (low, high) = parse_cidr(host)
    except ValueError as error:
        # Digits and dots alone are an address with a slip, never a name to look up.
        if "/" in host or ":" in host or not re.search(r"[a-z]", host.lower()):
            raise InputFileError(str(error), where=where, mend=_MEND) from None
        if not _NAME.fullmatch(host.lower()):
            raise InputFileError(f"not a host name: {host!r}", where=where, mend=_MEND) from None
        return Target(name=host.lower().rstrip("."), port=port, transport=transport)
    if high - low >= MAX_ADDRESSES:
        raise InputFileError(
            f"{host} holds more than {MAX_ADDRESSES} addresses", where=where, mend="split it into smaller blocks"
        )
    return Target(block=_block(family, low, high), port=port, transport=transport)


def _block(family: Family, low: int, high: int) -> str:
    pair = ((low, high),)
    return AddressSet(ipv4=pair if family == "ipv4" else (), ipv6=pair if family == "ipv6" else ()).cidrs()[0]


def _split(text: str, where: str) -> tuple[str, int | None, Transport | None]:
    """Cut `host:port/transport` into its parts; a slash without a port before it belongs to a CIDR."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+)(?:/(\w+))?)?", text)
    plain = re.fullmatch(r"([^:\s\[\]]+)(?::(\d+)(?:/(\w+))?)?", text)
    bare_ipv6 = re.fullmatch(r"([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:/\d+)?)()()", text)
    match = bracketed or bare_ipv6 or plain
    if not match:
        raise InputFileError(f"makes no sense as a target: {text!r}", where=where, mend=_MEND)
    host, digits, transport = match.groups()
    if not digits:
        return host, None, None
    port = int(digits)
    if not 1 <= port <= 65535:
        raise InputFileError(f"port out of range in {text!r}", where=where, mend="1 to 65535")
    if transport in (None, "", "tcp"):
        return host, port, "tcp"
    if transport == "udp":
        return host, port, "udp"
    near = get_close_matches(transport, ["tcp", "udp"], n=1, cutoff=0.3)
    hint = f"did you mean {near[0]}?" if near else "tcp or udp"
    raise InputFileError(f"unknown transport {transport!r} in {text!r}", where=where, mend=hint)


def parse_targets(text: str, *, where: str) -> tuple[Target, ...]:
    """Read a whole file; `#` starts a comment. Raises InputFileError with file and line."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        if content:
            found.append(parse_target(content, where=f"{where}:{number}"))
    if not found:
        raise InputFileError("names no target", where=where, mend=_MEND)
    return tuple(dict.fromkeys(found))
