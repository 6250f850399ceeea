"""Introduces the probes to those who may not import them: the planner and the judge."""

from collections.abc import Iterable

from exposure_audit.model.plan import ProbeCard


def probe_cards() -> tuple[ProbeCard, ...]:
    """What planner and judge may know of the probes."""
    from exposure_audit.probe.catalog import PROBES

    return tuple(
        ProbeCard(
            name=probe.name,
            service=probe.service,
            transport=probe.transport,
            ports=tuple(sorted({*probe.ports, *probe.tls_ports})),
            details=dict(probe.details),
        )
        for probe in PROBES.values()
    )


def usual_ports(cards: Iterable[ProbeCard]) -> dict[str, tuple[int, ...]]:
    """Where each service usually speaks."""
    found: dict[str, set[int]] = {}
    for card in cards:
        found.setdefault(card.service, set()).update(card.ports)
    return {service: tuple(sorted(ports)) for service, ports in found.items()}


def details_by_service(cards: Iterable[ProbeCard]) -> dict[str, dict[str, type]]:
    """The facts that rules may ask for, by service: probes of one service speak one vocabulary."""
    found: dict[str, dict[str, type]] = {}
    for card in cards:
        found.setdefault(card.service, {}).update(card.details)
    return found
