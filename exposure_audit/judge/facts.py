"""The declared facts: every name that a rule may use, its kind, and how it is read from a row.

Three families are fixed (`exposure.*`, `asset.*`, `observation.*`), with open ends at `asset.tag.<key>` and
`asset.detail.<key>`. The fourth, `<service>.<detail>`, is what the probes declare; it is handed in, because the
judge knows no probe.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args

import msgspec

from exposure_audit.judge import readers
from exposure_audit.judge.rows import Answer, Row, Subject
from exposure_audit.model.exposure import Truth, Via
from exposure_audit.model.internet import Breadth
from exposure_audit.model.observation import Access, Verdict

Kind = Literal["choice", "text", "flag", "number", "version", "ports", "address"]
"""`choice` is text from a closed list. `ports` is an inclusive range."""

Details = Mapping[str, Mapping[str, type]]
"""Service -> detail -> its type (str, int or bool)."""

_EXPOSED: frozenset[Subject] = frozenset({"exposure", "dormant"})
_OWNED: frozenset[Subject] = frozenset({"exposure", "dormant", "asset"})
_ASKED: frozenset[Subject] = frozenset({"exposure", "target"})
_REACHED: frozenset[Subject] = frozenset({"exposure", "dormant", "target"})


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that rules may ask about."""

    name: str
    kind: Kind
    about: str
    subjects: frozenset[Subject]
    read: Callable[[Row], object]
    choices: tuple[str, ...] = ()
    column: str = ""
    """The flat attribute of a row that holds it. Few distinct values: the program is specialised for each."""


def _choice(name: str, about: str, subjects: frozenset[Subject], choices: tuple[str, ...], column: str) -> Fact:
    return Fact(
        name=name,
        kind="choice",
        about=about,
        subjects=subjects,
        choices=choices,
        column=column,
        read=readers.column(column),
    )


def _plain(name: str, kind: Kind, about: str, subjects: frozenset[Subject], read: Callable[[Row], object]) -> Fact:
    return Fact(name=name, kind=kind, about=about, subjects=subjects, read=read)


_FIXED: tuple[Fact, ...] = (
    # A target was named by a person: who else gets there is not known, so it has no breadth.
    _choice("exposure.breadth", "How much of the internet gets in.", _REACHED, get_args(Breadth), "breadth"),
    _choice("exposure.via", "Directly, through a front, or behind one.", _EXPOSED, get_args(Via), "via"),
    _choice("exposure.family", "Address family.", _REACHED, ("ipv4", "ipv6"), "family"),
    Fact(
        name="exposure.transport",
        kind="text",
        about="`tcp`, `udp`, `icmp`, or a protocol number as text.",
        subjects=_EXPOSED,
        column="transport",
        read=readers.column("transport"),
    ),
    _plain("exposure.ports", "ports", "The port range that lets traffic in.", _EXPOSED, readers.ports),
    _plain("exposure.width", "number", "How many ports the range holds.", _EXPOSED, readers.width),
    _plain("exposure.port_from", "number", "First port of the range.", _EXPOSED, readers.optional("port_from")),
    _plain("exposure.port_to", "number", "Last port of the range.", _EXPOSED, readers.optional("port_to")),
    _plain(
        "exposure.target_port",
        "number",
        "Behind a front: the port at the target.",
        _EXPOSED,
        readers.optional("target_port"),
    ),
    Fact(
        name="exposure.truth",
        kind="choice",
        about="Whether the whole path could be read. A rule that names it decides on it itself.",
        subjects=_EXPOSED,
        choices=get_args(Truth),
        read=readers.exposure("truth"),
    ),
    _plain("exposure.one_way", "flag", "UDP gets in, no answer gets out.", _EXPOSED, readers.exposure("one_way")),
    _plain(
        "exposure.crafted_source_port",
        "flag",
        "Only clients that choose an unusual source port get in.",
        _EXPOSED,
        readers.exposure("crafted_source_port"),
    ),
    _plain("exposure.ipv6_only", "flag", "Open over IPv6, not over IPv4.", _EXPOSED, readers.ipv6_only),
    _plain("exposure.address", "address", "The address or DNS name.", _EXPOSED, readers.exposure("address")),
    Fact(
        name="asset.kind",
        kind="text",
        about="`instance`, `db-instance`, `load-balancer`…",
        subjects=_OWNED,
        column="kind",
        read=readers.column("kind"),
    ),
    _plain("asset.provider", "text", "`aws`…", _OWNED, readers.place("provider")),
    _plain("asset.account", "text", "The account id.", _OWNED, readers.place("account")),
    _plain("asset.region", "text", "The region.", _OWNED, readers.place("region")),
    _plain("asset.state", "text", "The provider's word: `running`, `stopped`.", _OWNED, readers.asset("state")),
    _plain("asset.name", "text", "Its name.", _OWNED, readers.asset("name")),
    _plain("asset.exposed", "flag", "Something can reach it.", _OWNED, readers.exposed),
    _choice("observation.answer", "How asking ended.", _ASKED, get_args(Answer), "answer"),
    _choice("observation.verdict", "What the answer proves.", _ASKED, get_args(Verdict), "verdict"),
    _choice("observation.access", "What a stranger may do.", _ASKED, get_args(Access), "access"),
    Fact(
        name="observation.service",
        kind="text",
        about="The protocol spoken.",
        subjects=_ASKED,
        column="service",
        read=readers.column("service"),
    ),
    Fact(
        name="observation.tls",
        kind="flag",
        about="It speaks TLS.",
        subjects=_ASKED,
        column="tls",
        read=readers.column("tls"),
    ),
    _plain("observation.probe", "text", "The probe that recognised it.", _ASKED, readers.probe),
    _plain("observation.product", "text", "`Valkey`, `OpenSearch`…", _ASKED, readers.told("product")),
    _plain("observation.version", "version", "The version it tells.", _ASKED, readers.version),
    _plain("observation.port", "number", "The port that was asked.", _ASKED, readers.port),
    _plain("observation.address", "address", "The address that was asked.", _ASKED, readers.address),
    _choice("observation.transport", "`tcp` or `udp`.", _ASKED, ("tcp", "udp"), "transport"),
    _plain("observation.amplification", "number", "Bytes received for each byte sent.", _ASKED, readers.factor),
)


FACTS: dict[str, Fact] = {fact.name: fact for fact in _FIXED}

PROVEN = Fact(
    name="(reachable)",
    kind="flag",
    about="The path was read in full, or an answer proved it.",
    subjects=frozenset({"exposure", "dormant", "target", "asset"}),
    column="proven",
    read=readers.column("proven"),
)
"""Part of every rule about exposures that does not name `exposure.truth` itself."""

_DETAIL_KINDS: dict[type, Kind] = {str: "text", int: "number", bool: "flag"}


def find(name: str, details: Details) -> Fact | None:
    """Return the fact of this name, or None."""
    if name in FACTS:
        return FACTS[name]
    for prefix, table in (("asset.tag.", "tags"), ("asset.detail.", "details")):
        key = name.removeprefix(prefix)
        if key and key != name:
            return _plain(name, "text", f"The asset's entry {key!r}.", _OWNED, readers.asset_entry(table, key))
    service, _, detail = name.partition(".")
    kind = details.get(service, {}).get(detail)
    if kind is None:
        return None
    return _plain(name, _DETAIL_KINDS[kind], f"A fact of {service}.", _ASKED, readers.detail(service, detail, kind))


def names(details: Details) -> Iterator[str]:
    """Yield every name, the open-ended families as `asset.tag.` and `asset.detail.`."""
    yield from FACTS
    yield "asset.tag."
    yield "asset.detail."
    for service, facts in details.items():
        for detail in facts:
            yield f"{service}.{detail}"
