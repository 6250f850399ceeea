"""How the benchmarks measure: whole processes, CPU from the operating system, interleaved rounds, medians, ratios.

Machines are noisy; a ratio of two things measured in turn in one run travels, a second does not.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median


def cpu_seconds(command: Sequence[str]) -> float:
    """User and system CPU of one whole process, children included that it waited for."""
    return run(command)[0]


def run(command: Sequence[str]) -> tuple[float, float, int]:
    """Run a command silently; return CPU seconds, wall seconds and peak memory in bytes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss * 1024


def interleaved(
    commands: Mapping[str, Sequence[str]], measure: Callable[[Sequence[str]], float], *, rounds: int
) -> dict[str, list[float]]:
    """Measure A B C, A B C, …, after one round that is thrown away."""
    for command in commands.values():
        measure(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(measure(command))
    return times


def ratio_line(name: str, ours: Sequence[float], theirs: Sequence[float], target: str, unit: str = "s CPU") -> str:
    """One line: the medians, and the median of the ratios round by round."""
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return f"{name}: {median(ours):.3f} {unit}, against {median(theirs):.3f}: ratio {ratio:.2f} ({target})"
