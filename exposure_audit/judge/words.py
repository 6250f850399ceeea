"""The words of one finding: what fills the placeholders, what is shown as evidence, and why it is undecided."""

from exposure_audit.judge.case import stated
from exposure_audit.judge.rows import LOST, Row
from exposure_audit.judge.values import UNKNOWN
from exposure_audit.model.exposure import Exposure, Hop

_SHOWN_SOURCES = 3


def values(row: Row) -> dict[str, str]:
    """Return what is known for each placeholder; what is missing is not known."""
    exposure, observation, asset = row.exposure, row.observation, row.asset
    address = observation.address if observation else exposure.address if exposure else ""
    native = asset.native_id if asset else exposure.native_id if exposure else ""
    found = {
        "address": address,
        "asset": (asset.name if asset else "") or native or address,
        "native_id": native,
        "port": shown_ports(row),
        "region": asset.region if asset else _region(exposure),
        "transport": observation.transport if observation else exposure.transport if exposure else "",
    }
    if exposure:
        found["front"] = exposure.front
        found["target_port"] = "" if exposure.target_port is None else str(exposure.target_port)
        gate = _security_group(exposure)
        if gate:
            found["filter"], found["filter_rule"] = gate.native_id, gate.rule
    if observation:
        found |= {
            "product": observation.product or observation.service,
            "service": observation.service,
            "version": observation.version or "of unknown version",
        }
    return {name: value for name, value in found.items() if value}


def _region(exposure: Exposure | None) -> str:
    region = UNKNOWN if exposure is None else stated(exposure.asset, "region")
    return region if isinstance(region, str) else ""


def _security_group(exposure: Exposure) -> Hop | None:
    found = [hop for hop in exposure.path if hop.gate == "security-group"]
    return found[-1] if found else None


def shown_ports(row: Row) -> str:
    """`6379`, `6000-7000`, or nothing for protocols without ports."""
    if row.span is not None:
        low, high = row.span
    elif row.exposure is not None and row.exposure.port_from is not None:
        low, high = row.exposure.port_from, row.exposure.port_to or row.exposure.port_from
    else:
        return ""
    return str(low) if low == high else f"{low}-{high}"


def evidence(row: Row, *, about_service: bool) -> str:
    """Return what proves it: the measured bytes, the answer, or who gets in where."""
    observation, exposure = row.observation, row.exposure
    if about_service and observation is not None and row.answer == "answered":
        if observation.amplification is not None:
            seen = observation.amplification
            return f"{seen.bytes_out} bytes out, {seen.bytes_in} bytes in: {seen.factor} times"
        spoken = " ".join(
            part for part in (observation.product or observation.service, observation.version) if part
        )
        return observation.evidence or f"{spoken or 'an open port'}: {observation.verdict}"
    if exposure is None:
        return ""
    low, high = exposure.port_from, exposure.port_to
    ports = "" if low is None else f" {low}" if low == high else f" {low}-{high}"
    return f"{exposure.transport}{ports} open to {_sources(exposure)}"


def _sources(exposure: Exposure) -> str:
    if exposure.sources_except is not None:
        inside = [f"the internet but {', '.join(exposure.sources_except[:_SHOWN_SOURCES])}"]
        more = len(exposure.sources_except) - _SHOWN_SOURCES
        if not exposure.sources_except:
            inside = ["the internet"]
    else:
        inside = list(exposure.sources[:_SHOWN_SOURCES]) or ["nobody that could be read"]
        more = len(exposure.sources) - _SHOWN_SOURCES
    return ", ".join(inside) + (f" and {more} more" if more > 0 else "")


def undecided(row: Row, *, about_service: bool) -> str:
    """Return one sentence that says what is missing for a decision."""
    if row.proven is UNKNOWN and row.exposure is not None:
        unread = [hop for hop in row.exposure.path if hop.truth != "true"]
        where = f"{unread[0].gate} {unread[0].native_id}".strip() if unread else "a part of the path"
        said = f": {unread[0].text}" if unread and unread[0].text else ""
        deciding = row.exposure.truth == "conditional"
        return f"Undecided: {where} {'decides and is not ours to read' if deciding else 'could not be read'}{said}."
    if about_service and (row.answer in LOST or row.answer == "undetermined"):
        endings = {
            "filtered": "no answer came within the budget",
            "error": "asking failed on our side",
            "not-asked": "it was not asked",
            "undetermined": "it was recognised, but did not say whether it asks for credentials",
        }
        reason = f" ({row.reason})" if row.reason else ""
        return f"Undecided: {endings[str(row.answer)]}{reason}."
    if row.asset is None and row.exposure is not None:
        return "Undecided: the asset could not be read."
    if not about_service:
        return "Undecided: another way in could not be read."
    return "Undecided: the answer does not tell what the rule needs."
