"""The compiled program says what the plain evaluator says, on conditions and rows of every kind."""

from itertools import product
from typing import Any

import pytest
from cases import a_case, an_asset, an_exposure, nothing_came, seen
from hypothesis import given, settings
from hypothesis import strategies as some
from shipped_rules import DETAILS, shipped

from exposure_audit.judge.compile import Entry, Hit, Program
from exposure_audit.judge.conditions import (
    PROVEN,
    All,
    AnyOf,
    Condition,
    Const,
    Leaf,
    Not,
    Truth3,
    decide,
    evaluate,
    flat,
    leaf,
    read_condition,
    rewrite,
)
from exposure_audit.judge.facts import FACTS, find
from exposure_audit.judge.rows import Row, World
from exposure_audit.judge.run import Case, program_of
from exposure_audit.judge.values import ABSENT, UNKNOWN, Among
from exposure_audit.judge.yamlfile import parse
from exposure_audit.model.inventory import Inventory
from exposure_audit.model.plan import Exclusion

VALUES: tuple[Truth3, ...] = (True, False, None)


@pytest.mark.parametrize(("one", "other"), list(product(VALUES, VALUES)))
def test_kleene_tables(one: Truth3, other: Truth3) -> None:
    """S. C. Kleene, Introduction to Metamathematics (1952), section 64, the strong tables."""

    def said(condition: Condition) -> Truth3:
        return evaluate(condition, lambda _fact: UNKNOWN)

    parts = (Const(one), Const(other))
    both: Truth3 = False if False in (one, other) else None if None in (one, other) else True
    either: Truth3 = True if True in (one, other) else None if None in (one, other) else False
    assert said(All(parts)) is both
    assert said(AnyOf(parts)) is either
    assert said(Not(Const(one))) is (None if one is None else not one)
    assert rewrite(All(parts), lambda matcher: matcher) == Const(both)
    assert rewrite(AnyOf(parts), lambda matcher: matcher) == Const(either)


def a_leaf(text: str) -> Leaf:
    made = read_condition(parse(text.encode(), "a.yaml"), ("exposure",), DETAILS)
    assert isinstance(made, Leaf)
    return made


@pytest.mark.parametrize(
    ("text", "value", "answer"),
    [
        ("exposure.breadth: internet", "internet", True),
        ("exposure.breadth: internet", "narrow", False),
        ("exposure.breadth: internet", UNKNOWN, None),
        ("exposure.breadth: internet", ABSENT, False),
        ("exposure.breadth: [internet, wide]", "wide", True),
        ("exposure.ports: 22", (20, 30), True),
        ("exposure.ports: 22", (23, 30), False),
        ("exposure.ports: [22, 3389]", (3389, 3389), True),
        ("exposure.ports: {contains: 22}", UNKNOWN, None),
        ("exposure.width: {at_least: 10}", 10, True),
        ("exposure.width: {at_least: 10}", 9, False),
        ("exposure.width: {at_most: 10}", 11, False),
        ("exposure.width: {at_most: 10}", ABSENT, False),
        ("exposure.address: {within: [192.0.2.0/24, 2001:db8::/32]}", "192.0.2.7", True),
        ("exposure.address: {within: [192.0.2.0/24, 2001:db8::/32]}", "2001:db8::7", True),
        ("exposure.address: {within: 192.0.2.0/24}", "198.51.100.1", False),
        ("exposure.address: {within: 192.0.2.0/24}", "db.example", False),
        ("asset.name: {matches: 'prod-*'}", "prod-db", True),
        ("asset.name: {matches: 'prod-*'}", "a prod-db", False),
        ("asset.name: {matches: ['x', '[pq]*']}", "q1\n", True),
        ("asset.tag.env: prod", UNKNOWN, None),
        ("asset.tag.env: {present: true}", "", True),
        ("asset.tag.env: {present: true}", ABSENT, False),
        ("asset.tag.env: {present: true}", UNKNOWN, None),
        ("observation.service: redis", Among(["ntp", "redis"]), None),
        ("observation.service: redis", Among(["ntp"]), False),
        ("observation.service: {present: true}", Among(["ntp"]), None),
        ("redis.keys: {at_least: 1}", 5, True),
        ("redis.mode: sentinel", "standalone", False),
        ("observation.tls: false", False, True),
    ],
)
def test_matchers(text: str, value: object, answer: Truth3) -> None:
    assert decide(a_leaf(text), value) is answer


@pytest.mark.parametrize(
    ("text", "value", "answer"),
    [
        ("asset.tag.env: {not_in: [prod]}", "dev", True),
        ("asset.tag.env: {not_in: [prod]}", "prod", False),
        ("asset.tag.env: {not_in: [prod]}", ABSENT, True),
        ("asset.tag.env: {not_in: [prod]}", UNKNOWN, None),
        ("asset.tag.env: {present: false}", ABSENT, True),
        ("asset.tag.env: {present: false}", "x", False),
        ("exposure.width: {at_least: 2, at_most: 4}", 3, True),
        ("exposure.width: {at_least: 2, at_most: 4}", 5, False),
    ],
)
def test_matchers_that_become_groups(text: str, value: object, answer: Truth3) -> None:
    condition = read_condition(parse(text.encode(), "a.yaml"), ("exposure",), DETAILS)
    assert evaluate(condition, lambda _fact: value) is answer


def varied_case() -> Case:
    """Exposures and observations of every ending, known and unknown."""
    exposures = []
    observations = []
    endings = ("unauthenticated", "limited", "auth-required", "unidentified", "closed", "filtered", "error", None)
    truths, families = ("true", "conditional", "unknown"), ("ipv4", "ipv6")
    choices = product(endings, truths, families, ("internet", "narrow"), ("tcp", "udp"))
    for number, (ending, truth, family, breadth, transport) in enumerate(choices):
        address = f"2001:db8::{number:x}" if family == "ipv6" else f"192.0.2.{number % 250}"
        port = (22, 6379, 8123, 11211, 123)[number % 5]
        exposures.append(
            an_exposure(
                port,
                port + number % 3 * 400,
                id=f"exp-{number}",
                address=address,
                family=family,
                truth=truth,
                breadth=breadth,
                transport=transport,
                dormant=number % 17 == 0,
                one_way=number % 13 == 0,
                asset="" if number % 11 == 0 else an_asset().id,
            )
        )
        if ending:
            service = ("redis", "clickhouse", "memcached", "ntp", "")[number % 5]
            version = ("7.0.15", "18.16.1", "", "4.2.6p5", "not a version")[number % 5]
            observations.append(
                seen(
                    port,
                    address=address,
                    transport=transport,
                    verdict=ending,
                    service=service,
                    version=version,
                    details={"keys": number, "mode": 5} if number % 2 else {},
                )
            )
    return a_case(
        *exposures,
        observations=(*observations, nothing_came(9, "closed")),
        exclusions=(
            Exclusion(address="", transport="tcp", port_from=None, port_to=None, reason="no", exposure="exp-5"),
        ),
        inventory=Inventory(
            assets=(an_asset(tags={"env": "prod"}), an_asset("aws:1:r:db-instance/d", kind="db-instance"))
        ),
    )


ROWS: list[Row] = list(World(varied_case()).rows(frozenset({"exposure", "dormant", "target", "asset"})))


def walked(entries: list[Entry], rows: list[Row]) -> list[tuple[int, int, bool]]:
    found = []
    for index, row in enumerate(rows):
        for number, entry in enumerate(entries):
            answer = evaluate(entry.condition, lambda fact, row=row: fact.read(row))  # type: ignore[misc]
            if row.subject in entry.subjects and answer is not False:
                found.append((number, index, answer is True))
    return found


def run(entries: list[Entry], rows: list[Row]) -> list[tuple[int, int, bool]]:
    found: list[Hit] = []
    Program(entries).run(rows, found.append)
    places = {id(row): index for index, row in enumerate(rows)}
    return [(number, places[id(row)], certain) for number, row, certain in found]


def test_shipped_rules_compiled_and_walked_agree() -> None:
    entries = [Entry(frozenset(rule.subjects), rule.condition) for rule in shipped().rules]
    expected = walked(entries, ROWS)
    assert run(entries, ROWS) == expected
    assert {certain for _, _, certain in expected} == {True, False}
    assert len({number for number, _, _ in expected}) > 15


MATCHERS = (
    "exposure.breadth: internet",
    "exposure.transport: {not_in: [udp]}",
    "exposure.ports: [22, 6500]",
    "exposure.width: {at_most: 1}",
    "exposure.truth: 'true'",
    "exposure.ipv6_only: true",
    "exposure.target_port: {present: true}",
    "asset.tag.env: prod",
    "asset.kind: instance",
    "observation.service: [redis, ntp]",
    "observation.verdict: {present: true}",
    "observation.verdict: [unauthenticated, limited]",
    "observation.answer: answered",
    "observation.version: {version_in: '<7.2'}",
    "observation.address: {within: 192.0.2.0/25}",
    "observation.product: {matches: 'R*'}",
    "redis.keys: {at_least: 10}",
    "redis.mode: standalone",
)
CONDITIONS: Any = some.recursive(
    some.sampled_from([read_condition(parse(one.encode(), "a"), ("exposure",), DETAILS) for one in MATCHERS]),
    lambda inner: some.one_of(
        some.builds(Not, inner),
        some.builds(All, some.lists(inner, min_size=1, max_size=3).map(tuple)),
        some.builds(AnyOf, some.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(some.lists(CONDITIONS, min_size=1, max_size=4))
def test_any_conditions_compiled_and_walked_agree(conditions: list[Condition]) -> None:
    rows = [row for row in ROWS if row.subject == "exposure"][::3]
    entries = [Entry(frozenset({"exposure"}), condition) for condition in conditions]
    assert run(entries, rows) == walked(entries, rows)
    flattened = [Entry(entry.subjects, flat(entry.condition)) for entry in entries]
    assert walked(flattened, rows) == walked(entries, rows)


def test_no_word_of_a_rule_reaches_the_generated_code() -> None:
    text = """asset.tag.x: "') or __import__('os').system('false') or ('" """
    condition = read_condition(parse(text.encode(), "a.yaml"), ("exposure",), DETAILS)
    rows = [row for row in ROWS if row.subject == "exposure" and row.asset is not None]
    assert run([Entry(frozenset({"exposure"}), condition)], rows) == []


def test_every_declared_fact_can_be_read_from_every_row_that_has_it() -> None:
    for name, kinds in DETAILS.items():
        for detail in kinds:
            assert find(f"{name}.{detail}", DETAILS) is not None
    for fact in FACTS.values():
        for row in ROWS:
            if row.subject in fact.subjects:
                value = fact.read(row)
                assert value is not None
                if fact.choices and isinstance(value, str):
                    assert value in fact.choices


def test_a_rule_set_without_rules_finds_nothing() -> None:
    found: list[Hit] = []
    program_of([]).run(ROWS, found.append)
    assert found == []


def test_an_unproven_row_makes_a_certain_rule_possible() -> None:
    condition = All((PROVEN, leaf(FACTS["exposure.transport"], "equals", "tcp")))
    rows = [row for row in ROWS if row.subject == "exposure" and row.transport == "tcp"]
    for _, index, certain in run([Entry(frozenset({"exposure"}), condition)], rows):
        assert certain is (rows[index].proven is True)
