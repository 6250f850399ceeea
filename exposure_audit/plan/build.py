"""Turns exposures or targets into a probe plan: exposures x probes x consent x budget.

A range of at most `WHOLE_RANGE` ports is asked whole: somebody opened exactly these. Of a wider one the ports
that the catalog knows are asked, all of them with `all_ports`; the rest is said in an exclusion.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from exposure_audit.model.addresses import AddressSet
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Asset, Inventory
from exposure_audit.model.observation import Transport
from exposure_audit.model.plan import Budget, Exclusion, ProbeCard, ProbePlan, Scope, Task
from exposure_audit.plan.consent import Consent
from exposure_audit.plan.scope import owned
from exposure_audit.plan.targets import Target

WHOLE_RANGE = 16
TRANSPORTS: tuple[Transport, ...] = ("tcp", "udp")
LOOPBACK = AddressSet.of("127.0.0.0/8", "::1")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to plan; everything has a careful default."""

    all_ports: bool = False
    consent: Consent = Consent()
    budget: Budget = Budget()
    measure_amplification: bool = True
    allow_private: bool = False
    allow_loopback: bool = False
    loopback_only: bool = False


class Deck:
    """The probe cards, indexed by transport and port."""

    def __init__(self, cards: Iterable[ProbeCard]) -> None:
        self._names: dict[Transport, tuple[str, ...]] = {}
        self._by_port: dict[tuple[Transport, int], list[str]] = defaultdict(list)
        self.ports: dict[Transport, tuple[int, ...]] = {}
        cards = sorted(cards, key=lambda card: card.name)
        for transport in TRANSPORTS:
            mine = [card for card in cards if card.transport == transport]
            self._names[transport] = tuple(card.name for card in mine)
            self.ports[transport] = tuple(sorted({port for card in mine for port in card.ports}))
            for card in mine:
                for port in card.ports:
                    self._by_port[transport, port].append(card.name)

    def order(self, transport: Transport, port: int) -> tuple[str, ...]:
        """The probes to try: those at home on this port first, then all others (TCP).

        UDP has no greeting and no refusal: a datagram that a port's own protocol did not expect is noise,
        so a known UDP port is asked only its own questions.
        """
        hinted = tuple(self._by_port.get((transport, port), ()))
        if transport == "udp" and hinted:
            return hinted
        return hinted + tuple(name for name in self._names[transport] if name not in hinted)


def plan_exposures(
    exposures: Sequence[Exposure], inventory: Inventory, cards: Iterable[ProbeCard], options: Options
) -> ProbePlan:
    """Plan what the inventory shows to be reachable; dormant rules and private assets never appear."""
    deck = Deck(cards)
    assets = {asset.id: asset for asset in inventory.assets}
    tasks: dict[tuple[str, int, str], Task] = {}
    exclusions: list[Exclusion] = []
    for exposure in exposures:
        if exposure.dormant:
            continue
        left_out = _unasked(exposure, assets, options)
        if left_out:
            exclusions.append(left_out)
            continue
        ports, rest = _ports(exposure, deck, options)
        if rest:
            exclusions.append(rest)
        for port in ports:
            task = _task(exposure, port, deck)
            # A direct exposure explains an answer better than what stands behind a front.
            if exposure.via != "behind-front":
                tasks[task.address, port, task.transport] = task
            else:
                tasks.setdefault((task.address, port, task.transport), task)
    return ProbePlan(
        origin="inventory",
        tasks=_sorted(tasks),
        exclusions=tuple(sorted(exclusions, key=_exclusion_key)),
        scope=_scope(owned(inventory), options),
        budget=options.budget,
        measure_amplification=options.measure_amplification,
    )


def plan_targets(targets: Sequence[Target], cards: Iterable[ProbeCard], options: Options) -> ProbePlan:
    """Plan what a person named; a target without a port is asked every port that the catalog knows."""
    deck = Deck(cards)
    tasks: dict[tuple[str, int, str], Task] = {}
    exclusions: list[Exclusion] = []
    for target in targets:
        for address in target.addresses():
            why = options.consent.refuses_address(address)
            if why:
                exclusions.append(
                    Exclusion(
                        address=address,
                        transport=target.transport or "tcp",
                        port_from=target.port,
                        port_to=target.port,
                        reason=why,
                        incomplete=False,
                    )
                )
                continue
            for transport, port in _asked(target, deck, options):
                tasks.setdefault(
                    (address, port, transport),
                    Task(
                        address=address,
                        port=port,
                        transport=transport,
                        probes=deck.order(transport, port),
                        server_name=target.name,
                    ),
                )
    blocks = tuple(dict.fromkeys(target.block for target in targets if target.block))
    names = tuple(dict.fromkeys(target.name for target in targets if target.name))
    return ProbePlan(
        tasks=_sorted(tasks),
        exclusions=tuple(sorted(exclusions, key=_exclusion_key)),
        scope=_scope(Scope(targets=blocks, names=names), options),
        budget=options.budget,
        measure_amplification=options.measure_amplification,
    )


def _scope(scope: Scope, options: Options) -> Scope:
    return msgspec.structs.replace(
        scope,
        allow_private=options.allow_private,
        allow_loopback=options.allow_loopback,
        loopback_only=options.loopback_only,
    )


def _asked(target: Target, deck: Deck, options: Options) -> list[tuple[Transport, int]]:
    if target.port is not None:
        ports = [(target.transport or "tcp", target.port)]
    elif options.all_ports:
        ports = [("tcp", port) for port in range(1, 65536)] + [("udp", port) for port in deck.ports["udp"]]
    else:
        ports = [(transport, port) for transport in TRANSPORTS for port in deck.ports[transport]]
    return [(transport, port) for transport, port in ports if port not in options.consent.ports]


def _unasked(exposure: Exposure, assets: Mapping[str, Asset], options: Options) -> Exclusion | None:
    """Say why nothing of an exposure is asked; None when it is."""
    low, high = exposure.port_from, exposure.port_to
    why = options.consent.refuses(exposure, assets.get(exposure.asset))
    if why:
        # The user decided it: the gate may pass, the report still says so.
        return _leave_out(exposure, low, high, why)
    if "/" in exposure.address:
        why = "a delegated prefix: which of its addresses are in use is not known"
        return _leave_out(exposure, low, high, why, incomplete=True)
    if options.loopback_only and not _on_loopback(exposure.address):
        return _leave_out(exposure, low, high, "not on loopback (--loopback-only)", incomplete=True)
    if exposure.transport not in TRANSPORTS:
        return _leave_out(exposure, None, None, f"no probe speaks {exposure.transport}")
    return None


def _ports(exposure: Exposure, deck: Deck, options: Options) -> tuple[list[int], Exclusion | None]:
    """Choose the ports of one exposure, and say which of them are left out."""
    low, high = exposure.port_from or 0, 65535 if exposure.port_to is None else exposure.port_to
    low = max(low, 1)  # Port 0 cannot be asked.
    transport: Transport = "udp" if exposure.transport == "udp" else "tcp"
    whole = high - low < WHOLE_RANGE or (options.all_ports and transport == "tcp")
    ports = list(range(low, high + 1)) if whole else [port for port in deck.ports[transport] if low <= port <= high]
    asked = [port for port in ports if port not in options.consent.ports]
    left = high - low + 1 - len(asked)
    if not left:
        return asked, None
    why = f"wide range: {left} of its {high - low + 1} ports are not asked"
    if whole:
        why = f"{left} of its ports are excluded by --exclude"
    elif transport == "tcp":
        why += " (--all-ports asks them)"
    return asked, _leave_out(exposure, low, high, why)


def _task(exposure: Exposure, port: int, deck: Deck) -> Task:
    transport: Transport = "udp" if exposure.transport == "udp" else "tcp"
    name = exposure.address if any(letter.isalpha() for letter in exposure.address.rpartition(".")[2]) else ""
    return Task(
        address=exposure.address,
        port=port,
        transport=transport,
        probes=deck.order(transport, port),
        server_name="" if ":" in exposure.address else name,
        exposure=exposure.id,
        asset=exposure.asset,
    )


def _on_loopback(address: str) -> bool:
    """Say whether an address is loopback; a name is not: looking it up would leave this machine."""
    try:
        return address in LOOPBACK
    except ValueError:
        return address == "localhost"


def _leave_out(
    exposure: Exposure, low: int | None, high: int | None, why: str, *, incomplete: bool = False
) -> Exclusion:
    """An exclusion; one that the user decided or that a flag would lift leaves the run complete."""
    return Exclusion(
        address=exposure.address,
        transport=exposure.transport,
        port_from=low,
        port_to=high,
        reason=why,
        exposure=exposure.id,
        incomplete=incomplete,
    )


def _sorted(tasks: Mapping[tuple[str, int, str], Task]) -> tuple[Task, ...]:
    return tuple(tasks[key] for key in sorted(tasks))


def _exclusion_key(one: Exclusion) -> tuple[str, str, int, str]:
    return one.address, one.transport, one.port_from or 0, one.reason
