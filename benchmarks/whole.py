"""The whole analysis as a user runs it: `scan --snapshot DIR --no-probe` on a large account.

2,000 instances, 1,000 security groups of 50 rules, 3 regions. Limits: 3 seconds, 300 MB, start-up included.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from analysis import make_world, write_snapshot
from measure import run

ROUNDS = 5
SECONDS, MEGABYTES = 3.0, 300.0


def main() -> None:
    """Print medians of CPU, wall clock and peak memory of whole processes."""
    with tempfile.TemporaryDirectory() as scratch:
        snapshot = Path(scratch) / "snapshot"
        write_snapshot(snapshot, make_world())
        rounds = []
        for number in range(ROUNDS + 1):
            words = ["scan", "--snapshot", str(snapshot), "--no-probe", "--run-dir", f"{scratch}/run-{number}"]
            rounds.append(run([sys.executable, "-m", "exposure_audit", *words]))
        cpu, wall, memory = (median(column) for column in zip(*rounds[1:], strict=True))
        print(f"analysis: {cpu:.2f} s CPU, {wall:.2f} s wall (limit {SECONDS:g})")
        print(f"peak memory: {memory / 1e6:.0f} MB (limit {MEGABYTES:g})")


if __name__ == "__main__":
    main()
