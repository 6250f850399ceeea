"""A rule, its examples, and a line of the checklist, as they are after loading: typed, checked, ready to run."""

from typing import Literal

import msgspec

from exposure_audit.judge.conditions import PROVEN, All, Condition, leaves
from exposure_audit.judge.facts import Details
from exposure_audit.judge.rows import Subject
from exposure_audit.model.finding import Fix, Severity
from exposure_audit.model.inventory import Noun

Outcome = Literal["hit", "miss", "unknown"]
Need = Noun | Literal["probing"]


class Example(msgspec.Struct, frozen=True, eq=False):
    """Facts, and what the rule must say of them. Facts that are not named are absent, null is unknown."""

    outcome: Outcome
    facts: dict[str, object]
    line: int


class Rule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One rule file."""

    id: str
    family: str
    """Its folder."""
    title: str
    severity: Severity
    subjects: tuple[Subject, ...]
    when: Condition
    why: str
    fix: Fix
    references: tuple[str, ...]
    checklist: str = ""
    """The item that a finding of this rule fails."""
    tags: tuple[str, ...] = ()
    examples: tuple[Example, ...]
    file: str
    text: str
    """The file as it is, for `rules show`."""

    @property
    def condition(self) -> Condition:
        """`when`, and that the path is proven; a rule that names `exposure.truth` decides on that itself."""
        if any(one.fact.name == "exposure.truth" for one in leaves(self.when)):
            return self.when
        return All((PROVEN, self.when))

    @property
    def about_service(self) -> bool:
        """It looks at what a probe saw."""
        return any(not one.fact.name.startswith(("exposure.", "asset.")) for one in leaves(self.when))

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it looks for, sorted."""
        found: set[str] = set()
        for one in leaves(self.when):
            if one.fact.name == "observation.service" and one.operator.name in {"equals", "in"}:
                found.update(map(str, one.operand if isinstance(one.operand, frozenset) else [one.operand]))
        return tuple(sorted(found))

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that it looks for in a range, ascending."""
        found: set[int] = set()
        for one in leaves(self.when):
            if one.operator.name == "contains" and isinstance(one.operand, tuple):
                found.update(one.operand)
        return tuple(sorted(found))


Settled = Literal["findings", "asked", "coverage"]


class Item(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One line of the checklist before it is answered."""

    id: str
    category: str
    title: str
    settled_by: Settled = "findings"
    """`findings`: of the rules that name it. `asked`: that every reachable port was asked. `coverage`: that every
    call was answered."""
    needs: tuple[Need, ...] = ()
    """What must have been read in full for a pass."""
    subjects: tuple[Subject, ...] = ()
    applies: Condition | None = None
    """Which of these subjects it is about; None: it always applies."""


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All rules by id, and the checklist as it is written."""

    rules: tuple[Rule, ...]
    items: tuple[Item, ...]
    details: Details
