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

from exposure_audit.judge.case import Case, stated
from exposure_audit.judge.values import ABSENT, UNKNOWN, Among, Missing
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Asset
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Exclusion
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

ASKABLE = frozenset({"tcp", "udp"})

Heard = tuple[object, object, object, object]
"""Service, verdict, access, TLS: values, or ABSENT, or UNKNOWN."""
_NOTHING: Heard = (ABSENT, ABSENT, ABSENT, ABSENT)


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
    """The case, indexed for joining. A million exposures pass through here: what looks long-winded is fast."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.assets = {asset.id: asset for asset in (*case.inventory.assets, *case.inventory.idle_addresses)}
        self._seen = bytearray(len(case.observations))
        self._by_exposure: dict[str, list[int]] = defaultdict(list)
        self._by_address: dict[str, list[int]] = defaultdict(list)
        by_exposure, by_address = self._by_exposure, self._by_address
        for index, observation in enumerate(case.observations):
            by_address[observation.address].append(index)
            if observation.exposure:
                by_exposure[observation.exposure].append(index)
        self._excluded: dict[str, list[Exclusion]] = defaultdict(list)
        for exclusion in case.exclusions:
            self._excluded[exclusion.exposure].append(exclusion)
        self._fronts: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for exposure in case.exposures:
            if exposure.via == "front" and not exposure.dormant and exposure.port_from is not None:
                span = (exposure.port_from, exposure.port_to or exposure.port_from)
                self._fronts[exposure.address, exposure.transport].append(span)
        self._usual = sorted((port, name) for name, ports in case.usual_ports.items() for port in ports)
        self._possible: dict[tuple[int, int], Missing] = {}
        self._among: dict[frozenset[str], Among] = {}

    def rows(self, subjects: frozenset[Subject]) -> Iterator[Row]:
        """Yield every row of these subjects; targets come last, when the exposures have taken their own."""
        if subjects & {"exposure", "dormant", "target"}:
            for exposure in self.case.exposures:
                if not exposure.dormant:
                    yield from self._exposed(exposure)
                elif "dormant" in subjects:
                    yield self._row(exposure, None, "not-askable", _NOTHING)
        if "target" in subjects:
            for index, observation in enumerate(self.case.observations):
                if not self._seen[index]:
                    yield self._target(observation)
        if "asset" in subjects:
            for asset in self.assets.values():
                yield self._asset(asset)

    def _observations(self, exposure: Exposure, low: int, high: int) -> list[Observation]:
        """What was seen at an address and port, whichever exposure led there; by its id when a name was asked."""
        near = self._by_address.get(exposure.address)
        if near is None:
            near = self._by_exposure.get(exposure.id)
            if near is None:
                return []
        observations, transport = self.case.observations, exposure.transport
        found = []
        for index in near:
            one = observations[index]
            if low <= one.port <= high and one.transport == transport:
                self._seen[index] = 1
                found.append(one)
        return found

    def _exposed(self, exposure: Exposure) -> list[Row]:
        low, high = exposure.port_from, exposure.port_to
        if low is None or exposure.transport not in ASKABLE:
            return [self._row(exposure, None, "not-askable", _NOTHING)]
        span = (low, high or low)
        if exposure.via == "behind-front" and self._asked_at_front(exposure, span):
            return [self._row(exposure, None, "at-front", _NOTHING, span)]
        observations = self._observations(exposure, *span)
        rows = []
        for observation in observations:
            answer = _ending(observation)
            port = (observation.port, observation.port)
            heard = self._heard(observation, answer, port)
            rows.append(self._row(exposure, observation, answer, heard, port, reason=observation.reason))
        excluded = self._excluded.get(exposure.id)
        if excluded:
            asked = frozenset(observation.port for observation in observations)
            rows += [self._left_out(exposure, one, span, asked) for one in excluded]
        elif not rows:
            reason = "no probe was sent there" if self.case.probed else "nothing was probed in this run"
            heard = (self._services(span), UNKNOWN, UNKNOWN, UNKNOWN)
            rows.append(self._row(exposure, None, "not-asked", heard, span, reason=reason))
        return rows

    def _left_out(self, exposure: Exposure, one: Exclusion, span: tuple[int, int], asked: frozenset[int]) -> Row:
        low = span[0] if one.port_from is None else one.port_from
        high = max(low, span[1]) if one.port_to is None else one.port_to
        heard = (self._services((low, high), asked), UNKNOWN, UNKNOWN, UNKNOWN)
        return self._row(exposure, None, "not-asked", heard, (low, high), reason=one.reason)

    def _asked_at_front(self, exposure: Exposure, span: tuple[int, int]) -> bool:
        fronts = self._fronts.get((exposure.address, exposure.transport), ())
        return any(low <= span[0] and span[1] <= high for low, high in fronts)

    def _row(  # noqa: PLR0917 - by position, for speed
        self,
        exposure: Exposure,
        observation: Observation | None,
        answer: Answer,
        heard: Heard,
        span: tuple[int, int] | None = None,
        reason: str = "",
    ) -> Row:
        asset = self.assets.get(exposure.asset)
        service, verdict, access, tls = heard
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
            service,
            verdict,
            access,
            tls,
            exposure.breadth,
            exposure.via,
            exposure.transport,
            exposure.family,
            stated(exposure.asset, "kind") if asset is None else asset.kind,
        )

    def _heard(self, observation: Observation, answer: Answer, port: tuple[int, int]) -> Heard:
        """Service, verdict, access and TLS, as far as the ending lets them be known."""
        if answer == "answered":
            return observation.service or ABSENT, observation.verdict, observation.access, observation.tls
        if answer == "undetermined":
            return observation.service, UNKNOWN, UNKNOWN, observation.tls
        if answer == "closed":
            return ABSENT, "closed", ABSENT, ABSENT
        return self._services(port), UNKNOWN, UNKNOWN, UNKNOWN

    def _services(self, span: tuple[int, int], asked: frozenset[int] = frozenset()) -> Missing:
        """Which services may speak on the ports of a span that were not asked."""
        if not self._usual:
            return UNKNOWN
        known = None if asked else self._possible.get(span)
        if known is None:
            low = bisect_left(self._usual, (span[0], ""))
            high = bisect_left(self._usual, (span[1] + 1, ""))
            names = frozenset(name for port, name in self._usual[low:high] if port not in asked)
            # One object for equal sets: the compiled program tells rows apart by identity.
            known = self._among.setdefault(names, Among(names)) if names else ABSENT
            if not asked:
                self._possible[span] = known
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
            *self._heard(observation, answer, span),
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
