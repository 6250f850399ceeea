"""CPU of 100 rules over 1,000,000 exposures, and the same rules evaluated one by one.

    python benchmarks/rules.py [ROUNDS] [EXPOSURES]

The shipped rules, and as many made ones of eight matchers as 100 takes, are asked of exposures, half of them
probed. Compiling and answering is the figure: under 3 s of CPU. Joining exposures with assets and observations is
shown apart. The plain evaluator walks each rule's condition for each row of a slice, and its time is scaled; both
must find the same.
"""

import gc
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator

from exposure_audit.cards import details_by_service, probe_cards, usual_ports
from exposure_audit.judge.case import Case
from exposure_audit.judge.compile import Hit
from exposure_audit.judge.conditions import evaluate
from exposure_audit.judge.facts import Fact
from exposure_audit.judge.load import default_folder, load_rules
from exposure_audit.judge.read import read_rule
from exposure_audit.judge.rows import Row, World
from exposure_audit.judge.rule import Rule
from exposure_audit.judge.run import program_of
from exposure_audit.judge.yamlfile import parse
from exposure_audit.model.addresses import Family
from exposure_audit.model.exposure import Exposure, Hop
from exposure_audit.model.inventory import Asset, Inventory
from exposure_audit.model.observation import Observation, Verdict

LIMIT = 3.0
SLICE = 20_000
PORTS = (443, 80, 443, 22, 443, 6379, 8123, 443, 9200, 80)
MADE_PORTS = (22, 80, 443, 3306, 5432, 6379, 8123, 9000, 9200, 11211)
SERVICES = ("redis", "clickhouse", "elasticsearch", "memcached", "ntp")
VERDICTS: tuple[Verdict, ...] = (
    "unauthenticated",
    "auth-required",
    "blocked",
    "limited",
    "public-info",
    "filtered",
)
VERSIONS = ("6.2.5", "7.0.15", "7.4.6", "21.8.3.44", "1.4.25", "8.11.1")


def made_rules(count: int) -> Iterator[Rule]:
    """Rules as a company adds them: a service, an environment, a region, ports and versions."""
    for n in range(count):
        service = SERVICES[n % len(SERVICES)]
        text = f"""
id: made-{n}
title: made
severity: high
for: exposure
when:
  exposure.breadth: [internet, wide]
  exposure.transport: tcp
  exposure.ports: [{MADE_PORTS[n % 10]}, {MADE_PORTS[(n + 3) % 10]}]
  observation.service: {service}
  observation.verdict: [unauthenticated, limited]
  asset.tag.env: {("prod", "staging")[n % 2]}
  any:
    - asset.region: {("eu-west-1", "us-east-1", "us-west-2")[n % 3]}
    - observation.version: {{version_in: "<{n % 9 + 1}.{n}"}}
why: made
fix: {{summary: made}}
references: [https://example.org/]
examples: [{{hit: {{asset.tag.env: prod}}}}, {{miss: {{asset.tag.env: test}}}}]
"""
        yield read_rule(parse(text.encode(), f"made/made-{n}.yaml"), {}, text=text)


def made_case(count: int) -> Case:
    """Assets with 50 exposures each; every second exposure was probed, every tenth is a range."""
    hop = Hop(gate="security-group", native_id="sg-1", rule="sgr-1")
    assets, exposures, observations = [], [], []
    for n in range(count):
        owner, slot = divmod(n, 50)
        name = f"aws:123456789012:eu-west-1:instance/i-{owner}"
        if not slot:
            tags = {"env": ("prod", "staging", "dev")[owner % 3]}
            region = ("eu-west-1", "us-east-1", "eu-north-1")[owner % 3]
            assets.append(
                Asset(
                    id=name,
                    kind="instance",
                    provider="aws",
                    account="123456789012",
                    region=region,
                    native_id=f"i-{owner}",
                    tags=tags,
                )
            )
        port = PORTS[(owner + slot) % 10]
        family: Family = "ipv6" if slot % 5 == 4 else "ipv4"
        address = f"2001:db8::{n:x}" if family == "ipv6" else f"192.{owner >> 8 & 255}.{owner & 255}.{slot}"
        exposures.append(
            Exposure(
                id=f"exp-{n:012x}",
                asset=name,
                native_id=f"eni-{owner}",
                address=address,
                family=family,
                transport="tcp" if slot % 9 else "udp",
                port_from=port,
                port_to=port + 500 if slot % 10 == 9 else port,
                breadth=("internet", "narrow", "wide")[slot % 3],
                truth="unknown" if slot == 7 else "true",
                dormant=slot % 25 == 24,
                path=(hop,),
            )
        )
        if slot % 2:
            observations.append(
                Observation(
                    address=address,
                    port=port,
                    transport="tcp" if slot % 9 else "udp",
                    service=SERVICES[(owner + slot) % 5],
                    product="Redis",
                    version=VERSIONS[owner % 6],
                    verdict=VERDICTS[(owner // 7 + slot) % 6],
                    probe="redis",
                    exposure=f"exp-{n:012x}",
                )
            )
    return Case(
        inventory=Inventory(assets=tuple(assets)),
        exposures=tuple(exposures),
        observations=tuple(observations),
        probed=True,
        usual_ports=usual_ports(probe_cards()),
    )


def reader(row: Row) -> Callable[[Fact], object]:
    """Read facts of one row."""
    return lambda fact: fact.read(row)


def plainly(rules: list[Rule], rows: list[Row]) -> list[tuple[int, bool]]:
    """Every rule of every row, walked."""
    found = []
    conditions = [(number, rule.subjects, rule.condition) for number, rule in enumerate(rules)]
    for row in rows:
        for number, subjects, condition in conditions:
            if row.subject in subjects:
                answer = evaluate(condition, reader(row))
                if answer is not False:
                    found.append((number, answer is True))
    return found


def compiled(rules: list[Rule], rows: list[Row], found: Callable[[Hit], None]) -> float:
    """CPU seconds of compiling and answering."""
    started = time.process_time()
    program_of(rules).run(rows, found)
    return time.process_time() - started


def main() -> None:
    """Print the median of some rounds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    shipped = list(load_rules([default_folder()], details_by_service(probe_cards())).rules)
    rules = shipped + list(made_rules(100 - len(shipped)))
    case = made_case(count)
    gc.freeze()
    started = time.process_time()
    rows = list(World(case).rows(frozenset({"exposure", "dormant", "target"})))
    joined = time.process_time() - started
    gc.freeze()
    answers: deque[Hit] = deque(maxlen=1)
    spent = [compiled(rules, rows, answers.append) for _ in range(rounds)]
    few = rows[:SLICE]
    started = time.process_time()
    slow = plainly(rules, few)
    scaled = (time.process_time() - started) * len(rows) / len(few)
    found: list[Hit] = []
    compiled(rules, few, found.append)
    assert slow == [(number, certain) for number, _, certain in found], "the two evaluators disagree"
    figure = statistics.median(spent)
    print(f"rules {len(rules)}, exposures {count}, rows {len(rows)}, answers a row {len(found) / len(few):.2f}")
    print(f"joining   {joined:8.2f} s CPU")
    print(f"compiled  {figure:8.2f} s CPU (median of {rounds}: {', '.join(f'{one:.2f}' for one in spent)})")
    print(f"walked    {scaled:8.2f} s CPU (scaled from {len(few)} rows): {scaled / figure:.0f} times")
    if count >= 1_000_000 and figure >= LIMIT:
        sys.exit(f"over the limit of {LIMIT} s")


if __name__ == "__main__":
    main()
