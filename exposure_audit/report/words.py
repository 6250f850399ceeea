"""The words of the report for people: sources, verdicts, gates, statuses, places."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from exposure_audit.model.addresses import AddressSet, Family
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.finding import ChecklistStatus
from exposure_audit.model.internet import share
from exposure_audit.model.inventory import Asset
from exposure_audit.model.observation import Access, Observation, Verdict
from exposure_audit.report.nouns import Level, Step

LEVEL: Mapping[Verdict, Level] = {
    "unauthenticated": "open",
    "setup": "open",
    "amplifier": "open",
    "limited": "open",
    "unidentified": "unknown",
    "error": "unknown",
    "auth-required": "guarded",
    "blocked": "guarded",
    "public-info": "guarded",
    "filtered": "silent",
    "closed": "silent",
}
CHECKED: Mapping[ChecklistStatus, str] = {
    "fail": "fail",
    "unknown": "unknown",
    "pass": "pass",
    "attested": "attested",
    "not-applicable": "not applicable",
}
"""Worst first."""
_VERDICT: Mapping[Verdict, str] = {
    "unauthenticated": "answers anyone",
    "setup": "is not set up: the first visitor becomes administrator",
    "amplifier": "multiplies traffic",
    "limited": "lets anyone in, refuses privileges",
    "unidentified": "accepts connections, nothing recognised",
    "error": "could not be asked",
    "auth-required": "asks for credentials",
    "blocked": "refuses our address",
    "public-info": "shows public information only",
    "filtered": "gave no answer",
    "closed": "is closed",
}
_ACCESS: Mapping[Access, str] = {
    "none": "",
    "metadata": ", tells about itself",
    "read": ", can be read",
    "write": ", can be changed",
    "execute": ", runs commands",
}
_DOUBT = {"conditional": "a middlebox decides", "unknown": "could not be read"}
_SHOWN = 3


def some(names: Sequence[str], shown: int = _SHOWN) -> str:
    """The first few of many, and how many more."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more:,} more" if more > 0 else "")


def cut(text: str, limit: int = 120) -> str:
    """The text, or as much of it as people read; the JSON report holds all of it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def count(number: int, one: str, many: str = "") -> str:
    """`1 finding`, `2 findings`, `10,000 findings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def verdict(seen: Observation) -> str:
    """What came of asking, as a person would say it."""
    word = _VERDICT[seen.verdict]
    if seen.verdict == "amplifier" and seen.amplification is not None:
        measured = seen.amplification
        return f"{word} {measured.factor:g} times ({measured.bytes_out} bytes out, {measured.bytes_in} in)"
    return word + (_ACCESS[seen.access] if LEVEL[seen.verdict] == "open" else "")


def spoken(seen: Observation) -> str:
    """Product and version, as far as it said so."""
    return " ".join(filter(None, (seen.product or seen.service, seen.version)))


def spot(address: str, low: int | None, high: int | None, transport: str) -> str:
    """`203.0.113.10:6379/tcp`, `[2001:db8::1]:8000-8100/tcp`, `203.0.113.10 icmp`, `protocol 47`, `tcp 0-65535`."""
    host = f"[{address}]" if ":" in address else address
    if low is None:
        spoken = f"protocol {transport}" if transport.isdecimal() else transport
        return " ".join(filter(None, (host, spoken)))
    ports = str(low) if high is None or low == high else f"{low}-{high}"
    return f"{host}:{ports}/{transport}" if host else f"{transport} {ports}"


def who(exposure: Exposure) -> str:
    """Who gets in: the internet, a share of it, or a few named networks."""
    kin = " over IPv6" if exposure.family == "ipv6" else ""
    others = exposure.sources_except
    if exposure.breadth == "internet":
        return f"anyone on the internet{kin}" + (f" but {some(others)}" if others else "")
    if others is not None:
        return f"the internet{kin} but {some(others)}"
    if not exposure.sources:
        return "sources that could not be read"
    return f"{some(exposure.sources)}{_size(exposure.sources, exposure.family)}"


@lru_cache(maxsize=4096)
def _size(sources: tuple[str, ...], family: Family) -> str:
    """How many addresses that is; nothing for one, or when it is no address."""
    try:
        found = AddressSet.of(*sources)
    except ValueError:
        return ""
    size = found.size(family)
    if family == "ipv6" or size < 2:
        return ""
    percent = float(share(found, family) * 100)
    return f" ({size:,} addresses" + (f", {percent:.1f} % of the internet)" if percent >= 0.05 else ")")


def step(hop: Hop) -> Step:
    """One gate of a path."""
    return Step(
        gate=hop.gate.replace("-", " ").replace("network acl", "network ACL"),
        name=cut(short_id(hop.native_id)),
        native_id=cut(hop.native_id, 400),
        rule=hop.rule,
        text=cut(hop.text, 400),
        doubt=_DOUBT.get(hop.truth, ""),
    )


def short_id(native_id: str) -> str:
    """The part of an ARN that a person knows it by; other ids as they are.

    `arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/search/5c1d` -> `search`.
    """
    if not native_id.startswith("arn:"):
        return native_id
    resource = native_id.split(":", 5)[-1]
    parts = resource.split("/")
    if parts[0] in {"loadbalancer", "listener"} and len(parts) > 3:
        return parts[2]
    return parts[1] if parts[0] == "targetgroup" and len(parts) > 1 else resource


def notes(exposure: Exposure) -> tuple[str, ...]:
    """What one must know beside the path."""
    doubtful = [hop for hop in exposure.path if hop.truth != "true"]
    found = {
        "conditional": "not certain: a middlebox decides",
        "unknown": "not certain: a part of the path could not be read",
    }
    said = [found[exposure.truth]] if exposure.truth in found else []
    said += [cut(hop.text, 400) for hop in doubtful if hop.text]
    if exposure.one_way:
        said.append("packets get in, answers do not get out")
    if exposure.crafted_source_port:
        said.append("only for clients that choose an unusual source port")
    if exposure.via == "behind-front":
        port = "" if exposure.target_port is None else f" at port {exposure.target_port}"
        said.append(f"through the load balancer {front_name(exposure.front)}{port}")
    return tuple(said)


def front_name(asset_id: str) -> str:
    """The name in an asset id: what is behind its type."""
    name = asset_id.partition("/")[2] or asset_id
    parts = name.split("/")
    return parts[1] if parts[0] in {"app", "net", "gwy"} and len(parts) == 3 else short_id(name)


def tags(asset: Asset) -> str:
    """Tags worth reading beside the name: all but the name itself, at most four."""
    shown = [f"{key}={value}" for key, value in sorted(asset.tags.items()) if key != "Name"]
    return cut(some(shown, 4), 240)


def place(asset: Asset) -> str:
    """`aws 111122223333 eu-central-1`."""
    return " ".join(filter(None, (asset.provider, asset.account, asset.region)))


def unknowns(yields: Iterable[Sequence[str]]) -> str:
    """The nouns that are unknown, once each."""
    return ", ".join(sorted({noun.replace("-", " ") for noun in chain.from_iterable(yields)}))
