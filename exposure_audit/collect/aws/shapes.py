"""Pieces of answers that several AWS services share, with the API's own names.

Fields that the audit cannot do without have no default: an answer that lacks them is no such answer, which is a
gap, where a default would be a silent "nothing there".
"""

import msgspec

from exposure_audit.collect.contract import Answers
from exposure_audit.model.addresses import parse_cidr


class Tag(msgspec.Struct, frozen=True):
    """A tag, as EC2 and RDS write it."""

    Key: str
    Value: str = ""


Tags = tuple[Tag, ...]


def to_dict(tags: Tags) -> dict[str, str]:
    """Tags as a mapping, sorted by key."""
    return {tag.Key: tag.Value for tag in sorted(tags, key=lambda tag: tag.Key)}


def name_tag(tags: Tags) -> str:
    """The value of the Name tag, or nothing."""
    return next((tag.Value for tag in tags if tag.Key == "Name"), "")


class State(msgspec.Struct, frozen=True):
    """A state that EC2 wraps in a structure of its own."""

    State: str = ""


class CidrCheck:
    """Lets CIDRs through and rejects the answer that holds anything else. Each text is parsed once."""

    def __init__(self, answers: Answers, call: str) -> None:
        self._answers = answers
        self._call = call
        self._good: set[str] = set()

    def __call__(self, text: str) -> bool:
        """Whether the text is an address or CIDR; if not, the answer is rejected."""
        try:
            self.require(text)
        except ValueError as error:
            self._answers.reject(self._call, str(error))
            return False
        return True

    def require(self, text: str) -> None:
        """Raise ValueError unless the text is an address or CIDR."""
        if text not in self._good:
            parse_cidr(text)
            self._good.add(text)


PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}
_ICMP = (1, 58)
_WITH_PORTS = (6, 17)
_ALL = (0, 65535)


def protocol_number(text: str) -> int | None:
    """`tcp`, `6` and `-1` (all protocols: None). Raises ValueError for anything else."""
    if text == "-1":
        return None
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    if text.isascii() and text.isdigit() and int(text) <= 255:
        return int(text)
    raise ValueError(f"unknown protocol {text!r}")


def port_axis(protocol: int | None, first: int | None, last: int | None) -> tuple[int, int]:
    """The range on the port axis that From/To, or ICMP type/code, mean.

    Other protocols than tcp, udp, icmp and icmpv6 ignore the range (API reference, IpPermission). For ICMP the
    axis is `type * 256 + code`, -1 or nothing means all. Raises ValueError when the range is none.
    """
    if protocol in _ICMP:
        if first is None or first == -1:
            return _ALL
        low, high = (first * 256, first * 256 + 255) if last is None or last == -1 else (first * 256 + last,) * 2
    elif protocol in _WITH_PORTS:
        if first is None or last is None or first == -1:
            return _ALL
        low, high = first, last
    else:
        return _ALL
    if not 0 <= low <= high <= _ALL[1]:
        raise ValueError(f"not a port range: {first}-{last}")
    return low, high


_NAMES = {number: name for name, number in PROTOCOLS.items()}


def traffic_text(protocol: int | None, low: int, high: int) -> str:
    """`tcp 6379`, `udp 0-65535`, `icmp type 8`, `protocol 47`, `all traffic`."""
    if protocol is None:
        return "all traffic"
    name = _NAMES.get(protocol, f"protocol {protocol}")
    if (low, high) == _ALL:
        return name if protocol not in _WITH_PORTS else f"{name} 0-65535"
    if protocol in _ICMP:
        return f"{name} type {low >> 8}" if low != high else f"{name} type {low >> 8} code {low & 255}"
    return f"{name} {low}" if low == high else f"{name} {low}-{high}"
