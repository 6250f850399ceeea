"""The subjects that rules are asked about: exposures joined with their asset and with what a probe saw there.

One row for each (exposure, observation), one for an exposure, or the excluded part of it, that nobody asked, one
for each observation that no exposure led to, and one for each asset. What rules look at most is copied to flat
attributes: the compiled program reads a tuple of them in one call.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from exposure_audit.judge.values import ABSENT, UNKNOWN, Among, Missing
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Asset, Inventory
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Exclusion, ProbeCard
from exposure_audit.model.traffic import PortSet

Subject = Literal["exposure", "target", "dormant", "asset"]
SUBJECTS: tuple[Subject, ...] = ("exposure", "target", "dormant", "asset")

Answer = Literal["answered", "undetermined", "closed", "filtered", "error", "not-asked", "at-front", "not-askable"]
"""How asking ended. `undetermined`: the service was recognised, whether it asks for credentials was not.
`at-front`: the load balancer in front was asked instead, at the same address and port. `not-askable`: neither TCP
nor UDP. After `filtered`, `error` and `not-asked` the service is unknown, not absent."""

LOST: frozenset[Answer] = frozenset({"filtered", "error", "not-asked"})
"""Endings after which the service is unknown, not absent."""
HEARD: frozenset[Answer] = frozenset({"answered", "undetermined"})
"""Endings that prove that something answers there."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is judged."""

    inventory: Inventory = Inventory()
    exposures: tuple[Exposure, ...] = ()
    observations: tuple[Observation, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    probed: bool = False
    """Something was asked; False for `--no-probe`."""
    now: str = ""
    """UTC, RFC 3339: when this is judged; findings take it as `first_seen`."""
    probes: tuple[ProbeCard, ...] = ()
    """What could have been asked. On a port that was not asked, a service is possible when the exposure includes
    one of its usual ports. Empty: every service is possible everywhere."""


class Row(msgspec.Struct, gc=False):
    """One subject. `exposure`, `asset` and `observation` are None when there is none."""

    subject: Subject
    exposure: Exposure | None
    asset: Asset | None
    observation: Observation | None
    world: "World"
    reason: str
    """Why the observation says nothing, in one line."""
    span: tuple[int, int] | None
    """Which ports this row is about."""
    proven: object
    """True, or UNKNOWN when reachability depends on something unread and no answer settled it."""
    answer: object
    service: object
    verdict: object
    access: object
    tls: object
    breadth: object
    via: object
    transport: object
    family: object
    kind: object


def _ending(observation: Observation) -> Answer:
    verdict = observation.verdict
    if verdict == "closed" or verdict == "filtered" or verdict == "error":  # noqa: PLR1714 - narrows the type
        return verdict
    return "undetermined" if verdict == "unidentified" and observation.service else "answered"


class World:
    """The case, indexed for joining."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.assets = {asset.id: asset for asset in (*case.inventory.assets, *case.inventory.idle_addresses)}
        self._seen = bytearray(len(case.observations))
        self._by_exposure: dict[str, list[int]] = defaultdict(list)
        self._by_address: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for index, observation in enumerate(case.observations):
            if observation.exposure:
                self._by_exposure[observation.exposure].append(index)
            self._by_address[observation.address, observation.transport].append((observation.port, index))
        for ports in self._by_address.values():
            ports.sort()
        self._excluded: dict[str, list[Exclusion]] = defaultdict(list)
        for exclusion in case.exclusions:
            self._excluded[exclusion.exposure].append(exclusion)
        self._fronts: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for exposure in case.exposures:
            if exposure.via == "front" and not exposure.dormant and exposure.port_from is not None:
                span = (exposure.port_from, exposure.port_to or exposure.port_from)
                self._fronts[exposure.address, exposure.transport].append(span)
        self._usual: dict[str, list[tuple[int, str]]] = {}
        for transport in ("tcp", "udp"):
            cards = [card for card in case.probes if card.transport == transport]
            self._usual[transport] = sorted({(port, card.service) for card in cards for port in card.ports})
        self._possible: dict[tuple[str, tuple[int, int]], Missing] = {}
        self._among: dict[frozenset[str], Among] = {}

    def rows(self, subjects: frozenset[Subject]) -> Iterator[Row]:
        """Yield every row of these subjects; targets come last, when the exposures have taken their own."""
        if subjects & {"exposure", "dormant", "target"}:
            for exposure in self.case.exposures:
                if not exposure.dormant:
                    yield from self._exposed(exposure)
                elif "dormant" in subjects:
                    yield self._row(exposure, self.assets.get(exposure.asset), None, answer="not-askable")
        if "target" in subjects:
            for index, observation in enumerate(self.case.observations):
                if not self._seen[index]:
                    yield self._target(observation)
        if "asset" in subjects:
            for asset in self.assets.values():
                yield self._asset(asset)

    def _observations(self, exposure: Exposure) -> list[Observation]:
        """What was seen at an exposure: by its id, and by address and port when another exposure led there."""
        found = self._by_exposure.get(exposure.id, ())
        ports = self._by_address.get((exposure.address, exposure.transport))
        if ports and exposure.port_from is not None:
            low = bisect_left(ports, (exposure.port_from, -1))
            high = bisect_left(ports, ((exposure.port_to or exposure.port_from) + 1, -1))
            if high - low > (1 if found else 0) or not found:
                found = sorted({*found, *(index for _, index in ports[low:high])})
        for index in found:
            self._seen[index] = 1
        observations = self.case.observations
        return [observations[index] for index in found]

    def _exposed(self, exposure: Exposure) -> Iterator[Row]:
        asset = self.assets.get(exposure.asset)
        if exposure.port_from is None or exposure.transport not in {"tcp", "udp"}:
            yield self._row(exposure, asset, None, answer="not-askable")
            return
        span = (exposure.port_from, exposure.port_to or exposure.port_from)
        if exposure.via == "behind-front" and self._asked_at_front(exposure, span):
            yield self._row(exposure, asset, None, answer="at-front", span=span)
            return
        observations = self._observations(exposure)
        for observation in observations:
            port = (observation.port, observation.port)
            yield self._row(
                exposure, asset, observation, answer=_ending(observation), reason=observation.reason, span=port
            )
        excluded = self._excluded.get(exposure.id, ())
        if excluded:
            asked = frozenset(observation.port for observation in observations)
            for one in excluded:
                low = span[0] if one.port_from is None else one.port_from
                high = max(low, span[1]) if one.port_to is None else one.port_to
                yield self._row(
                    exposure, asset, None, answer="not-asked", reason=one.reason, span=(low, high), asked=asked
                )
        elif not observations:
            reason = "no probe was sent there" if self.case.probed else "nothing was probed in this run"
            yield self._row(exposure, asset, None, answer="not-asked", reason=reason, span=span)

    def _asked_at_front(self, exposure: Exposure, span: tuple[int, int]) -> bool:
        fronts = self._fronts.get((exposure.address, exposure.transport), ())
        return any(low <= span[0] and span[1] <= high for low, high in fronts)

    def _row(
        self,
        exposure: Exposure,
        asset: Asset | None,
        observation: Observation | None,
        *,
        answer: Answer,
        reason: str = "",
        span: tuple[int, int] | None = None,
        asked: frozenset[int] = frozenset(),
    ) -> Row:
        return Row(
            "dormant" if exposure.dormant else "exposure",
            exposure,
            asset,
            observation,
            self,
            reason,
            span,
            True if exposure.truth == "true" or answer in HEARD else UNKNOWN,
            answer,
            *self._heard(observation, answer, exposure.transport, span, asked),
            exposure.breadth,
            exposure.via,
            exposure.transport,
            exposure.family,
            UNKNOWN if asset is None else asset.kind,
        )

    def _heard(
        self,
        observation: Observation | None,
        answer: Answer,
        transport: str,
        span: tuple[int, int] | None = None,
        asked: frozenset[int] = frozenset(),
    ) -> tuple[object, object, object, object]:
        """Service, verdict, access and TLS, as far as the ending lets them be known."""
        if answer == "answered" and observation is not None:
            return observation.service or ABSENT, observation.verdict, observation.access, observation.tls
        if answer == "undetermined" and observation is not None:
            return observation.service, UNKNOWN, UNKNOWN, observation.tls
        if answer in LOST and span is not None:
            return self._services(transport, span, asked), UNKNOWN, UNKNOWN, UNKNOWN
        return ABSENT, "closed" if answer == "closed" else ABSENT, ABSENT, ABSENT

    def _services(self, transport: str, span: tuple[int, int], asked: frozenset[int]) -> Missing:
        """Which services may speak on the ports of a span that were not asked."""
        if not self.case.probes:
            return UNKNOWN
        known = None if asked else self._possible.get((transport, span))
        if known is None:
            usual = self._usual[transport]
            low = bisect_left(usual, (span[0], ""))
            high = bisect_left(usual, (span[1] + 1, ""))
            names = frozenset(name for port, name in usual[low:high] if port not in asked)
            # One object for equal sets: the compiled program tells rows apart by identity.
            known = self._among.setdefault(names, Among(names)) if names else ABSENT
            if not asked:
                self._possible[transport, span] = known
        return known

    def _target(self, observation: Observation) -> Row:
        answer = _ending(observation)
        span = (observation.port, observation.port)
        return Row(
            "target",
            None,
            None,
            observation,
            self,
            observation.reason,
            span,
            True,
            answer,
            *self._heard(observation, answer, observation.transport, span),
            ABSENT,
            ABSENT,
            observation.transport,
            "ipv6" if ":" in observation.address else "ipv4",
            ABSENT,
        )

    def _asset(self, asset: Asset) -> Row:
        nothing = (ABSENT,) * 9
        return Row("asset", None, asset, None, self, "", None, True, *nothing, asset.kind)

    @cached_property
    def exposed(self) -> dict[str, object]:
        """Asset id -> True when something reaches it, UNKNOWN when only undecided exposures do."""
        found: dict[str, object] = {}
        for exposure in self.case.exposures:
            if not exposure.dormant and found.get(exposure.asset) is not True:
                found[exposure.asset] = True if exposure.truth == "true" else UNKNOWN
        return found

    @cached_property
    def gaps(self) -> frozenset[tuple[str, str, str]]:
        """(provider, account, region) where something could not be read."""
        rows = self.case.inventory.coverage
        return frozenset(
            (row.provider, row.account, row.region) for row in rows if row.status != "ok" and row.yields
        )

    @cached_property
    def over_ipv4(self) -> dict[tuple[str, str, bool], PortSet]:
        """(asset, transport, certain) -> ports reachable over IPv4."""
        spans: dict[tuple[str, str, bool], list[tuple[int, int]]] = defaultdict(list)
        for exposure in self.case.exposures:
            if exposure.family == "ipv4" and not exposure.dormant and exposure.port_from is not None:
                span = (exposure.port_from, exposure.port_to or exposure.port_from)
                spans[exposure.asset, exposure.transport, exposure.truth == "true"].append(span)
        return {key: PortSet.of(*found) for key, found in spans.items()}
