"""Joins exposures with what was seen there, and groups them by whom they belong to."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.finding import Severity
from exposure_audit.model.inventory import Asset
from exposure_audit.model.observation import Observation
from exposure_audit.model.report import Report
from exposure_audit.report import words
from exposure_audit.report.nouns import LEVELS, Answer, Branch, Bundle, Level, Step, Subject, Way

_BREADTHS = ("internet", "wide", "narrow")


class Seen:
    """Observations, found again by exposure and by address and port. What nobody asked for is left over."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self._all = observations
        self._by_exposure: dict[str, list[int]] = defaultdict(list)
        self._by_address: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self._taken = bytearray(len(observations))
        for index, one in enumerate(observations):
            if one.exposure:
                self._by_exposure[one.exposure].append(index)
            self._by_address[one.address, one.transport].append((one.port, index))
        for ports in self._by_address.values():
            ports.sort()

    def at(self, exposure: Exposure) -> list[Observation]:
        """What was seen at an exposure, also when another exposure led there (a front and what is behind it)."""
        found = set(self._by_exposure.get(exposure.id, ()))
        ports = self._by_address.get((exposure.address, exposure.transport))
        if ports and exposure.port_from is not None:
            high = exposure.port_from if exposure.port_to is None else exposure.port_to
            first, last = bisect_left(ports, (exposure.port_from, -1)), bisect_left(ports, (high + 1, -1))
            found |= {index for _, index in ports[first:last]}
        for index in found:
            self._taken[index] = 1
        return [self._all[index] for index in sorted(found)]

    def left_over(self) -> list[Observation]:
        """What no exposure led to: plain targets."""
        return [one for one, taken in zip(self._all, self._taken, strict=True) if not taken]


def surface(report: Report) -> tuple[tuple[Subject, ...], tuple[Way, ...]]:
    """Return the exposed subjects, worst first, and the dormant rules."""
    seen = Seen(report.observations)
    grouped: dict[str, list[tuple[Exposure, Way]]] = defaultdict(list)
    dormant: list[Way] = []
    probed = report.scan.vantage != "none"
    paths = _Paths()
    for exposure in report.exposures:
        way = _way(exposure, seen.at(exposure), paths, probed=probed)
        if exposure.dormant:
            dormant.append(way)
        else:
            grouped[exposure.asset or exposure.address].append((exposure, way))
    assets = {asset.id: asset for asset in report.assets}
    worst = _worst(report)
    none: Worst = (len(report.findings), "")
    ranked = [_subject(key, ways, assets.get(key), worst.get(key, none)) for key, ways in grouped.items()]
    ranked += [_target(address, many, worst.get(address, none)) for address, many in _by_address(seen.left_over())]
    ranked.sort(key=lambda pair: pair[0])
    return tuple(subject for _, subject in ranked), tuple(dormant)


Rank = tuple[int, int, int, str, str]
Worst = tuple[int, Severity | Literal[""]]


def _worst(report: Report) -> dict[str, Worst]:
    """Place and severity of the first finding that counts, by asset, else by address."""
    found: dict[str, Worst] = {}
    for place, finding in enumerate(report.findings):
        if finding.truth == "true" and finding.status in {"new", "known"}:
            found.setdefault(finding.asset or finding.address, (place, finding.severity))
    return found


def _subject(key: str, ways: list[tuple[Exposure, Way]], asset: Asset | None, worst: Worst) -> tuple[Rank, Subject]:
    ways.sort(key=lambda pair: (LEVELS.index(pair[1].level), _BREADTHS.index(pair[0].breadth), pair[1].where))
    breadth = min(_BREADTHS.index(exposure.breadth) for exposure, _ in ways)
    native = asset.native_id if asset else ways[0][0].native_id
    label = (asset.name if asset else "") or words.short_id(native) or key
    level = min((way.level for _, way in ways), key=LEVELS.index)
    subject = Subject(
        id=key,
        label=words.cut(label),
        native_id=words.cut(words.short_id(native)),
        kind=asset.kind.replace("-", " ") if asset else "",
        place=words.place(asset) if asset else "",
        tags=words.tags(asset) if asset else "",
        ways=tuple(way for _, way in ways),
        bundles=_bundles([way for _, way in ways]),
        level=level,
        severity=worst[1],
    )
    return (worst[0], LEVELS.index(level), breadth, label, key), subject


def _target(address: str, many: list[Observation], worst: Worst) -> tuple[Rank, Subject]:
    answers = _answers(many)
    level = _level(answers)
    where = words.spot(address, None, None, "")
    way = Way(
        id="", who="asked directly", where=where, steps=(), answers=answers, notes=(), unasked="", level=level
    )
    subject = Subject(
        id=address,
        label=words.cut(address),
        native_id="",
        kind="target",
        place="",
        tags="",
        ways=(way,),
        bundles=_bundles([way]),
        level=level,
        severity=worst[1],
    )
    return (worst[0], LEVELS.index(level), 0, address, address), subject


def _by_address(observations: Iterable[Observation]) -> Iterable[tuple[str, list[Observation]]]:
    found: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        found[one.address].append(one)
    return found.items()


def _way(exposure: Exposure, observations: Sequence[Observation], paths: "_Paths", *, probed: bool) -> Way:
    answers = _answers(observations)
    unasked = "" if exposure.dormant else _unasked(exposure, {one.port for one in observations}, probed=probed)
    level = _level(answers)
    if unasked and level in {"guarded", "silent"}:
        level = "unknown"
    return Way(
        id=exposure.id,
        who=words.who(exposure),
        where=words.spot(exposure.address, exposure.port_from, exposure.port_to, exposure.transport),
        steps=paths.steps(exposure.path),
        answers=answers,
        notes=(*words.notes(exposure), *filter(None, (unasked,))),
        unasked=unasked,
        level=level,
    )


class _Paths:
    """Paths in words, each gate drawn once: equal steps are one object, so that paths compare by identity.

    Thousands of exposures share their hops, and an object that lives keeps its identity.
    """

    def __init__(self) -> None:
        self._drawn: dict[int, Step] = {}
        self._known: dict[Step, Step] = {}
        self._begun: dict[tuple[int, ...], tuple[tuple[Step, ...], frozenset[_Key]]] = {}

    def steps(self, path: tuple[Hop, ...]) -> tuple[Step, ...]:
        """The gates in order; ways of one asset differ in the last one, so what is before it is drawn once."""
        if not path:
            return ()
        begin = tuple(map(id, path[:-1]))
        known = self._begun.get(begin)
        if known is None:
            before = _once(map(self._step, path[:-1]))
            known = self._begun[begin] = (before, frozenset(map(_key, before)))
        last = self._step(path[-1])
        return known[0] if _key(last) in known[1] else (*known[0], last)

    def _step(self, hop: Hop) -> Step:
        step = self._drawn.get(id(hop))
        if step is None:
            step = words.step(hop)
            step = self._drawn[id(hop)] = self._known.setdefault(step, step)
        return step


_Key = tuple[str, str, str]


def _once(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Leave out a gate that stands twice by the same rule: the answer leaves where the question came in."""
    found: dict[_Key, Step] = {}
    for step in steps:
        found.setdefault(_key(step), step)
    return tuple(found.values())


def _key(step: Step) -> _Key:
    return step.gate, step.named, step.doubt


def _bundles(ways: Sequence[Way]) -> tuple[Bundle, ...]:
    """Draw together what begins alike; a bundle stands where its worst way stood."""
    # Equal steps are one object (`_Paths`): comparing identities spares hashing every text of every step.
    groups: dict[tuple[str, tuple[int, ...]], list[Way]] = defaultdict(list)
    for way in ways:
        groups[way.who, tuple(map(id, way.steps[:-1]))].append(way)
    made = []
    for (who, shared), alike in groups.items():
        first = alike[0].steps
        one = len({tuple(map(id, way.steps)) for way in alike}) == 1
        rest = [() if one else way.steps[len(shared) :] for way in alike]
        branches = tuple(Branch(steps=steps, way=way) for steps, way in zip(rest, alike, strict=True))
        made.append(Bundle(who=who, steps=first if one else first[: len(shared)], branches=branches))
    return tuple(made)


def _unasked(exposure: Exposure, asked: set[int], *, probed: bool) -> str:
    """Say which part of an exposure nobody asked; empty when all of it was."""
    if not probed:
        return "nothing was probed in this run"
    if exposure.port_from is None:
        return "not asked: no probe speaks it"
    ports = (exposure.port_from if exposure.port_to is None else exposure.port_to) - exposure.port_from + 1
    if not asked:
        return "not asked"
    left = ports - len(asked)
    return f"{left:,} of its {ports:,} ports were not asked" if left > 0 else ""


def _level(answers: Sequence[Answer]) -> Level:
    return min((answer.level for answer in answers), key=LEVELS.index, default="unknown")


def _answers(observations: Iterable[Observation]) -> tuple[Answer, ...]:
    answers = [
        Answer(
            where=words.spot(seen.address, seen.port, None, seen.transport) + (", TLS" if seen.tls else ""),
            name=words.spoken(seen),
            level=words.LEVEL[seen.verdict],
            word=words.verdict(seen),
            verdict=seen.verdict,
            proof=seen.evidence or seen.reason,
        )
        for seen in observations
    ]
    return tuple(sorted(answers, key=lambda answer: LEVELS.index(answer.level)))
