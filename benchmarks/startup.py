"""Start-up: `--help` and `--version` against a bare Python. Target: at most 4 times its CPU, no SDK loaded."""

import sys
from pathlib import Path

from measure import cpu_seconds, interleaved, ratio_line

ROUNDS = 15
PROGRAM = str(Path(sys.executable).parent / "exposure-audit")


def main() -> None:
    """Print CPU medians and ratios of interleaved rounds."""
    bare = [sys.executable, "-c", "pass"]
    commands = {
        "--version": [PROGRAM, "--version"],
        "--help": [PROGRAM, "--help"],
        "scan --help": [PROGRAM, "scan", "--help"],
    }
    times = interleaved({"bare": bare, **commands}, cpu_seconds, rounds=ROUNDS)
    for name in commands:
        target = "no target" if name.startswith("scan") else "target: at most 4"
        print(ratio_line(name, times[name], times["bare"], target))


if __name__ == "__main__":
    main()
