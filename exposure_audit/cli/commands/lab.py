"""`lab`: a demo estate on loopback, to see everything happen without an account."""

from typing import Annotated

import typer


def lab(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            help="Command to run inside the lab, after --; the lab ends with it.", metavar="[-- COMMAND]..."
        ),
    ] = None,
    directory: Annotated[
        str, typer.Option("--directory", help="Where the servers keep their files and logs.", metavar="DIR")
    ] = ".lab",
) -> None:
    """Start a demo estate on loopback, without an account.

    A cloud API, and real servers: some open, some locked, some traps.

    Without a command the lab runs until Ctrl-C and prints how to scan it. Nothing in it leaves loopback.
    """
    from pathlib import Path

    from exposure_audit.cli.console import note
    from exposure_audit.lab.run import run_lab

    raise typer.Exit(run_lab(Path(directory), command or [], say=note))
