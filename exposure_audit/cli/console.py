"""What is said beside the data: errors, notes and progress, all on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from exposure_audit.model.progress import Progress, silent


def say_error(message: str) -> None:
    """Print one line on standard error. Foreign text inside it is made harmless."""
    from exposure_audit.report.tame import tame

    sys.stderr.write(tame(message) + "\n")


def note(message: str) -> None:
    """Say something that is no error and no data."""
    say_error(message)


_STAGES = {
    "collect": "Asking the clouds",
    "reach": "Computing reachability",
    "sweep": "Looking for open ports",
    "probe": "Asking who answers",
    "judge": "Holding the rules against it",
}


@contextmanager
def progress_bars(*, wanted: bool = True) -> Iterator[Progress]:
    """Show how far each stage is, on a terminal; stay silent in pipelines."""
    if not wanted or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<30}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = int(bars.add_task(_STAGES.get(stage, stage), total=None))
            bars.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        yield update
