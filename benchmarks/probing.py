"""Full probing of 2,000 open services, half of them locked, on loopback.

Targets: at least 20 times faster (wall) than nmap with its scripts for these services, and at most a third of the
CPU of asyncio streams doing the same exchanges. Whole processes, start-up included; every verdict is checked.

    python benchmarks/probing.py            the comparison
    python benchmarks/probing.py ours       one round of one side (ours, streams, frugal)
"""

import sys
from collections import Counter
from pathlib import Path

from canned_services import PORTS, addresses

ADDRESSES = 500
ROUNDS = 5
NMAP_ROUNDS = 2
NMAP_SECONDS = 180
SIDES = ("ours", "streams", "frugal")
HERE = Path(__file__).parent
PROBE_NAMES = {
    "redis": "redis",
    "memcached": "memcached",
    "clickhouse": "clickhouse-http",
    "elasticsearch": "elasticsearch",
}


def side(name: str) -> Counter[str]:
    """Ask all services once, our way or with asyncio streams."""
    from exposure_audit.model.observation import Observation
    from exposure_audit.model.plan import Budget, ProbePlan, Scope, Task
    from exposure_audit.probe.catalog import PROBES

    tasks = tuple(
        Task(address=address, port=port, transport="tcp", probes=(PROBE_NAMES[service],))
        for address in addresses(ADDRESSES)
        for service, port in PORTS.items()
    )
    budget = Budget(per_address_rate=0, per_address_concurrency=0, global_rate=0, in_flight=1000)
    if name != "ours":
        from streams import run

        return run(tasks, PROBES, budget, frugal=name == "frugal")
    from exposure_audit.probe.run import run_plan

    verdicts: Counter[str] = Counter()

    def count(observation: Observation) -> None:
        verdicts[observation.verdict] += 1

    scope = Scope(targets=("127.20.0.0/16",), loopback_only=True)
    run_plan(ProbePlan(tasks=tasks, scope=scope, budget=budget), probes=PROBES, on_observation=count)
    return verdicts


def compare() -> None:
    """Print the ratios."""
    import os
    import subprocess
    import tempfile
    from statistics import median

    import measure

    # Compiled modules are kept, as in every installed program.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="exposure-audit-pyc-")
    commands = {name: [sys.executable, str(HERE / "probing.py"), name] for name in SIDES}
    for command in commands.values():
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{command[-1]}: {done.stdout.strip()}")
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    wall: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            seconds, lasted, _ = measure.run(command)
            cpu[name].append(seconds)
            wall[name].append(lasted)
    print(measure.ratio_line("CPU against asyncio streams", cpu["ours"], cpu["streams"], "target: at most 0.33"))
    print(measure.ratio_line("… that watch the whole only", cpu["ours"], cpu["frugal"], "no target"))
    print(f"wall: ours {median(wall['ours']):.2f} s, streams {median(wall['streams']):.2f} s")
    nmap = [
        "timeout", str(NMAP_SECONDS), "nmap", "-n", "-Pn", "-sT", "-T5", "--min-parallelism", "200",
        "-p", ",".join(map(str, PORTS.values())), "--script", "redis-info,memcached-info,http-title",
        *addresses(ADDRESSES),
    ]  # fmt: skip
    rounds = [measure.run(nmap) for _ in range(NMAP_ROUNDS)]
    took, used = median(lasted for _, lasted, _ in rounds), median(seconds for seconds, _, _ in rounds)
    cut = " (cut off: it was not done)" if took >= NMAP_SECONDS else ""
    print(f"nmap with scripts: {took:.1f} s wall{cut}, {used:.2f} s CPU")
    print(f"nmap takes {took / median(wall['ours']):.1f} times our wall time (target: at least 20)")


def main() -> None:
    """Start the services, compare, stop them."""
    if len(sys.argv) > 1:
        print(dict(side(sys.argv[1])))
        return
    import subprocess

    command = [sys.executable, str(HERE / "canned_services.py"), str(ADDRESSES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == b"ready\n"
        try:
            compare()
        finally:
            assert lab.stdin is not None
            lab.stdin.close()


if __name__ == "__main__":
    main()
