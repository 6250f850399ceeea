"""What the tests of the judge share: the shipped rules, loaded with the facts of the real probes."""

from functools import cache
from pathlib import Path

from exposure_audit.cards import details_by_service, probe_cards
from exposure_audit.cards import usual_ports as usual
from exposure_audit.judge.facts import Details
from exposure_audit.judge.load import default_folder, load_rules
from exposure_audit.judge.rule import Rule, RuleSet

FOLDER = default_folder()
DETAILS: Details = details_by_service(probe_cards())
USUAL_PORTS = usual(probe_cards())

MINIMAL = """\
id: a-rule
title: A title
severity: low
for: exposure
when: {exposure.transport: tcp}
why: Because.
fix: {summary: Mend it.}
references: [https://example.org/]
examples:
  - hit: {exposure.transport: tcp}
  - miss: {exposure.transport: udp}
"""


@cache
def shipped() -> RuleSet:
    """Load them once."""
    return load_rules([FOLDER], DETAILS)


def rule_at(folder: Path, text: str, name: str = "a-rule") -> Path:
    """Write a rule file into a family folder."""
    path = folder / "family" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def by_id(name: str) -> Rule:
    """Return a shipped rule."""
    return next(rule for rule in shipped().rules if rule.id == name)
