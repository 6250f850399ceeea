"""Builds the one view that every format prints: tamed once, grouped, counted, in words."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from exposure_audit.model.coverage import gaps
from exposure_audit.model.finding import SEVERITIES, Finding
from exposure_audit.model.inventory import Asset, Coverage
from exposure_audit.model.report import Report
from exposure_audit.report import words
from exposure_audit.report.nouns import Category, Found, Gap, Line, Subject, Verdict, View
from exposure_audit.report.surface import surface
from exposure_audit.report.tame import tame_all

_DIGITS = 8
"""Hex digits of a fingerprint that are shown at least."""


def build(report: Report) -> View:
    """Build the view of a report. Pure: the same report gives the same view."""
    report = tame_all(report)
    subjects, dormant = surface(report)
    categories = _categories(report)
    return View(
        report=report,
        verdict=_verdict(report),
        facts=_facts(report),
        numbers=_numbers(report),
        severities=tuple((severity, report.summary.findings.get(severity, 0)) for severity in SEVERITIES),
        subjects=subjects,
        dormant=dormant,
        findings=_findings(report),
        categories=categories,
        checked=tuple(
            (word, report.summary.checklist[status])
            for status, word in words.CHECKED.items()
            if report.summary.checklist.get(status)
        ),
        gaps=(*_coverage(gaps(report.coverage)), *_failed(report), *_unasked(subjects)),
    )


def _verdict(report: Report) -> Verdict:
    gate = report.gate
    reasons = tuple(words.cut(reason, 600) for reason in gate.reasons)
    if gate.passed and gate.complete:
        return Verdict(
            level="passed", word="PASSED", sentence="Everything asked for was looked at.", reasons=reasons
        )
    if gate.passed:
        sentence = "Nothing fails the gate, but not everything could be looked at. Unknown is not safe."
        return Verdict(level="incomplete", word="INCOMPLETE", sentence=sentence, reasons=reasons)
    sentence = "Do not go on as it is." if gate.complete else "And not everything could be looked at."
    return Verdict(level="failed", word="FAILED", sentence=sentence, reasons=reasons)


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    scan = report.scan
    probed = "nothing was probed" if scan.vantage == "none" else f"probed from {scan.vantage}"
    return (
        ("scan", scan.id),
        ("time", f"{scan.started_at} to {scan.finished_at}"),
        ("vantage", probed),
        ("scope", words.some(scan.scope, 6) or "nothing"),
        ("fails on", report.gate.fail_on),
        ("tool", f"{report.tool.name} {report.tool.version}"),
    )


def _numbers(report: Report) -> tuple[tuple[str, int], ...]:
    summary = report.summary
    opened = sum(number for verdict, number in summary.observations.items() if _opens(verdict))
    counted = (
        (summary.exposures, "way in", "ways in"),
        (summary.exposed_assets, "exposed asset", "exposed assets"),
        (opened, "open to strangers", "open to strangers"),
        (sum(summary.findings.values()), "finding", "findings"),
        (summary.unknown, "undecided", "undecided"),
        (summary.coverage_gaps + summary.observations.get("error", 0), "not looked at", "not looked at"),
        (summary.dormant, "dormant rule", "dormant rules"),
        (sum(summary.observations.values()), "port asked", "ports asked"),
        (summary.assets, "asset", "assets"),
    )
    return tuple((one if number == 1 else many, number) for number, one, many in counted)


def _opens(verdict: str) -> bool:
    return any(name == verdict and level == "open" for name, level in words.LEVEL.items())


def _findings(report: Report) -> tuple[Found, ...]:
    assets = {asset.id: asset for asset in report.assets}
    lines = {item.id: item.title for item in report.checklist}
    shorts = shorten([finding.fingerprint for finding in report.findings])
    return tuple(
        _found(finding, assets.get(finding.asset), lines.get(finding.checklist, ""), shorts[finding.fingerprint])
        for finding in report.findings
    )


def _found(finding: Finding, asset: Asset | None, line: str, short: str) -> Found:
    undecided = finding.truth == "unknown"
    where = words.spot(finding.address, finding.port, None, finding.transport) if finding.address else ""
    return Found(
        fingerprint=finding.fingerprint,
        short=short,
        rule=finding.rule,
        title=words.cut(finding.title, 240),
        severity=finding.severity,
        undecided=undecided,
        verified=finding.verified,
        proof_word="undecided" if undecided else "proven by a probe" if finding.verified else "by its rules",
        score=finding.score,
        factors=tuple((factor.name, factor.points, factor.why) for factor in finding.score_factors),
        status=finding.status,
        counts=finding.status in {"new", "known"},
        label=words.cut(
            (asset.name or words.short_id(asset.native_id)) if asset else words.front_name(finding.asset)
        ),
        asset=finding.asset,
        place=words.place(asset) if asset else "",
        where=where,
        evidence=finding.evidence,
        steps=tuple(map(words.step, finding.path)),
        why=words.cut(finding.why, 1200),
        mend=finding.fix.summary,
        commands=finding.fix.commands,
        terraform=finding.fix.terraform.strip("\n"),
        references=finding.references,
        checklist=line,
        first_seen=finding.first_seen,
    )


def shorten(fingerprints: Sequence[str]) -> dict[str, str]:
    """The shortest beginning of each fingerprint that tells it from the others, at least eight digits long."""
    ordered = sorted(set(fingerprints))
    needed = dict.fromkeys(ordered, 0)
    for left, right in pairwise(ordered):
        same = _common(left, right)
        needed[left], needed[right] = max(needed[left], same + 1), max(needed[right], same + 1)
    return {one: one[: max(needed[one], one.find(":") + 1 + _DIGITS)] for one in ordered}


def _common(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))


def _categories(report: Report) -> tuple[Category, ...]:
    found: dict[str, list[Line]] = defaultdict(list)
    for item in report.checklist:
        found[item.category].append(
            Line(
                id=item.id,
                title=item.title,
                status=item.status,
                word=words.CHECKED[item.status],
                why=words.cut(item.why, 400),
                findings=item.findings,
            )
        )
    return tuple(Category(name=name, lines=tuple(lines)) for name, lines in found.items())


def _coverage(rows: Sequence[Coverage]) -> list[Gap]:
    """The same call with the same ending in seventeen regions is one line."""
    groups: dict[tuple[str, str, str], list[Coverage]] = defaultdict(list)
    for row in rows:
        groups[row.provider, row.call, row.status].append(row)
    alone = len({row.account for row in rows}) == 1
    made = [
        Gap(
            what=call,
            status=status,
            count=len(many),
            places=words.some([row.region if alone else f"{row.account} {row.region}" for row in many]),
            detail=words.cut(many[0].detail, 400),
            unknown=words.unknowns(row.yields for row in many),
        )
        for (_, call, status), many in groups.items()
    ]
    return sorted(made, key=lambda gap: (-gap.count, gap.what, gap.status))


def _unasked(subjects: Sequence[Subject]) -> list[Gap]:
    """What is reachable and was not asked, or not in full, by reason. It may have been left out on purpose."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject in subjects:
        for way in subject.ways:
            if way.unasked:
                key = ("asked in part", "") if way.answers else ("not asked", way.unasked)
                groups[key].append(way.where)
    return [
        Gap(
            what="a reachable range" if status == "asked in part" else "what is reachable",
            status=status,
            count=len(many),
            places=words.cut(words.some(list(dict.fromkeys(many))), 400),
            detail=why.removeprefix(status).removeprefix(": "),
            unknown="what answers there",
        )
        for (status, why), many in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    ]


def _failed(report: Report) -> list[Gap]:
    """Ports that we failed to ask, by reason."""
    groups: dict[str, list[str]] = defaultdict(list)
    for one in report.observations:
        if one.verdict == "error":
            groups[one.reason].append(words.spot(one.address, one.port, None, one.transport))
    return [
        Gap(
            what="what is reachable",
            status="could not be asked",
            count=len(many),
            places=words.cut(words.some(list(dict.fromkeys(many))), 400),
            detail=words.cut(reason, 400),
            unknown="what answers there",
        )
        for reason, many in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    ]
