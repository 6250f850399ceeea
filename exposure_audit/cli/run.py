"""Runs one command and turns every ending into one line and an exit code."""

import gc
import os
import signal
import sys
from typing import cast

import typer

from exposure_audit.cli import exits
from exposure_audit.cli.app import app
from exposure_audit.cli.console import say_error
from exposure_audit.errors import ExposureAuditError

# The library keeps its base class of usage mistakes private; a public subclass leads to it.
_UsageMistake = cast("type[Exception]", typer.BadParameter.__bases__[0])


def run(words: list[str]) -> int:
    """Run the words after the program's name; never raises for a user's mistake."""
    # Hundreds of thousands of frozen structs live to the end; looking through them for cycles again and again took
    # a third of the time of a large analysis.
    gc.set_threshold(100_000, 50, 100)
    # Whoever stops us, by Ctrl-C or by SIGTERM, gets the same orderly end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(words, prog_name="exposure-audit", standalone_mode=False)
    except ExposureAuditError as error:
        return _mistake(str(error))
    except _UsageMistake as error:
        return _mistake(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        say_error("interrupted; what was gathered is kept: exposure-audit scan --resume goes on")
        return exits.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.PASSED
    return code if isinstance(code, int) else exits.PASSED


def _mistake(message: str) -> int:
    say_error(f"error: {message}")
    return exits.USAGE


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "exposure-audit"
    message = str(getattr(error, "format_message", lambda: str(error))()).replace("\n", " ").rstrip(".")
    return f"{message} (see {command} --help)"
