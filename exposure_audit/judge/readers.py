"""How each fact is read from a row: a value, ABSENT when it is known not to be there, UNKNOWN when nobody knows."""

from collections.abc import Callable

from exposure_audit.judge.case import stated
from exposure_audit.judge.rows import HEARD, LOST, Row
from exposure_audit.judge.values import ABSENT, UNKNOWN, Among
from exposure_audit.judge.versions import parse

Reader = Callable[[Row], object]


def exposure(name: str) -> Reader:
    """Read an attribute of the exposure."""

    def read(row: Row) -> object:
        return ABSENT if row.exposure is None else getattr(row.exposure, name)

    return read


def optional(name: str) -> Reader:
    """Read an attribute of the exposure that may be None."""

    def read(row: Row) -> object:
        value = None if row.exposure is None else getattr(row.exposure, name)
        return ABSENT if value is None else value

    return read


def ports(row: Row) -> object:
    """Read the port range, inclusive."""
    way = row.exposure
    if way is None or way.port_from is None:
        return ABSENT
    return way.port_from, way.port_from if way.port_to is None else way.port_to


def width(row: Row) -> object:
    """Count the ports of the range."""
    way = row.exposure
    if way is None or way.port_from is None:
        return ABSENT
    return 1 if way.port_to is None else way.port_to - way.port_from + 1


def ipv6_only(row: Row) -> object:
    """Say whether these ports are reachable over IPv6 and not over IPv4."""
    way, span = row.exposure, ports(row)
    if way is None or way.family != "ipv6" or not isinstance(span, tuple):
        return False
    low, high = span
    over_ipv4 = row.world.over_ipv4
    for certain, answer in ((True, False), (False, UNKNOWN)):
        found = over_ipv4.get((way.asset, way.transport, certain))
        if found and any(first <= low and high <= last for first, last in found.intervals):
            return answer
    return True


def place(name: str) -> Reader:
    """Read provider, account or region: of the asset, else from the id that it goes by."""

    def read(row: Row) -> object:
        if row.asset is not None:
            return getattr(row.asset, name) or ABSENT
        return ABSENT if row.exposure is None else stated(row.exposure.asset, name)

    return read


def asset(name: str) -> Reader:
    """Read an attribute of the asset; an asset that was not read leaves it unknown."""

    def read(row: Row) -> object:
        if row.asset is None:
            return ABSENT if row.exposure is None else UNKNOWN
        return getattr(row.asset, name) or ABSENT

    return read


def asset_entry(table: str, key: str) -> Reader:
    """Read a tag or a detail of the asset."""

    def read(row: Row) -> object:
        if row.asset is None:
            return ABSENT if row.exposure is None else UNKNOWN
        return getattr(row.asset, table).get(key, ABSENT)

    return read


def exposed(row: Row) -> object:
    """Say whether anything reaches the asset."""
    owner = row.asset
    if owner is None:
        return ABSENT if row.exposure is None else UNKNOWN
    if owner.id in row.world.exposed:
        return row.world.exposed[owner.id]
    unread = (owner.provider, owner.account, owner.region) in row.world.gaps
    return UNKNOWN if unread else False


def _lost(row: Row) -> object:
    """What an observation that says nothing is worth: nothing was there, or nobody knows."""
    return UNKNOWN if row.answer in LOST else ABSENT


def told(name: str) -> Reader:
    """A text that only an identified service tells; one that did not tell it leaves it unknown."""

    def read(row: Row) -> object:
        if row.answer not in HEARD or row.observation is None:
            return _lost(row)
        return getattr(row.observation, name) or (UNKNOWN if row.observation.service else ABSENT)

    return read


def probe(row: Row) -> object:
    """Name the probe that recognised what answered."""
    if row.answer not in HEARD or row.observation is None:
        return _lost(row)
    return row.observation.probe or ABSENT


_stated = told("version")


def version(row: Row) -> object:
    """Read the version in a form that compares."""
    text = _stated(row)
    return (parse(text) or UNKNOWN) if isinstance(text, str) else text


def port(row: Row) -> object:
    """Read the port that was asked."""
    return ABSENT if row.span is None else row.span[0] if row.span[0] == row.span[1] else UNKNOWN


def address(row: Row) -> object:
    """Read the address that was asked, else that of the exposure."""
    if row.observation is not None:
        return row.observation.address
    return ABSENT if row.exposure is None else row.exposure.address


def factor(row: Row) -> object:
    """Read the measured amplification."""
    if row.answer != "answered" or row.observation is None:
        return _lost(row)
    return ABSENT if row.observation.amplification is None else row.observation.amplification.factor


def detail(service: str, name: str, kind: type) -> Reader:
    """Read a fact that the probe of a service declares."""

    def read(row: Row) -> object:
        if row.answer in HEARD and row.observation is not None:
            if row.observation.service != service:
                return ABSENT
            value = row.observation.details.get(name, UNKNOWN)
            return value if type(value) is kind else UNKNOWN
        if isinstance(row.service, Among):
            return UNKNOWN if service in row.service.values else ABSENT
        return UNKNOWN if row.service is UNKNOWN else ABSENT

    return read


def column(name: str) -> Reader:
    """Read a flat attribute of the row."""

    def read(row: Row) -> object:
        return getattr(row, name)

    return read
