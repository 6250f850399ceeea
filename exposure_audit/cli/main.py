"""The entry point: answers `--help` and `--version` without loading anything, and turns errors into exit codes.

`--help` is asked for in pipelines and in stressful hours. The command-line library alone costs four bare Python
starts; the root help is therefore a file, and a test keeps it equal to what the library prints.
"""

import os
import sys

from exposure_audit import __version__


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code (see `cli/exits.py`)."""
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["--version"]:
        return _say(f"exposure-audit {__version__}\n")
    if not words or words in (["--help"], ["-h"]):
        # `open`, not pathlib: this path imports nothing that Python did not load at its own start.
        with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123
            return _say(file.read())
    from exposure_audit.cli.run import run

    return run(words)


def _say(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader had enough; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
