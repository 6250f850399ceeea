"""Starts the whole demo estate, says what in it is real, and stops it again."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from exposure_audit.errors import RunError, UsageError
from exposure_audit.lab.estate import Placed, build
from exposure_audit.lab.moto import available, environment, moto_server
from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.lab.servers.contract import STOP_SECONDS, Running

Say = Callable[[str], None]


def run_lab(directory: Path, command: list[str], *, say: Say) -> int:
    """Start the estate; run the command in it, or wait for Ctrl-C. Returns the command's exit code.

    Raises UsageError when the lab's packages are missing, RunError when a part does not start.
    """
    why = available()
    if why:
        raise UsageError(why)
    with ExitStack() as stack:
        endpoint = stack.enter_context(moto_server(directory / "moto"))
        variables = environment(endpoint)
        placed = build(endpoint, variables)
        running, missing = _start(stack, placed, directory)
        for line in _describe(placed, running, missing):
            say(line)
        if command:
            return _run(command, variables)
        say("")
        say("Scan it from another terminal:")
        for name, value in variables.items():
            say(f"  export {name}={value}")
        say("  exposure-audit scan --loopback-only --region eu-central-1 --region us-east-1")
        say("")
        say("The lab runs until Ctrl-C.")
        _wait()
    return 0


def _start(
    stack: ExitStack, placed: tuple[Placed, ...], directory: Path
) -> tuple[dict[str, Running], dict[str, str]]:
    """Start what can be had, several at a time; return what runs and why the rest does not, by machine."""
    wanted = [one for one in placed if one.machine.server]
    missing = {one.machine.name: why for one in wanted if (why := SERVERS[one.machine.server].available(directory))}
    running: dict[str, Running] = {}

    def start(one: Placed) -> tuple[str, Running]:
        folder = directory / "servers" / one.machine.name
        server = SERVERS[one.machine.server]
        return one.machine.name, server.start(folder, one.address, variant=one.machine.variant, cache=directory)

    with ThreadPoolExecutor(max_workers=4) as pool:
        tasks = {one.machine.name: pool.submit(start, one) for one in wanted if one.machine.name not in missing}
        for name, task in tasks.items():
            try:
                running[name] = task.result()[1]
                stack.callback(running[name].stop)
            except RunError as error:
                missing[name] = str(error)
    return running, missing


def _describe(placed: tuple[Placed, ...], running: dict[str, Running], missing: dict[str, str]) -> list[str]:
    """Say for every machine what stands behind its address, and what the lab cannot show."""
    lines = ["The demo estate: AWS is a moto server, its elastic addresses are loopback addresses.", ""]
    for one in placed:
        name = one.machine.name
        if name in running:
            what = f"real {running[name].title}"
        elif name in missing:
            what = f"nothing ({missing[name].splitlines()[0][:100]})"
        else:
            what = "nothing listens"
        lines.append(f"  {name:<15} {one.address:<16} {what}")
        lines.append(f"  {'':<15} {one.machine.story}")
    lines += [
        "",
        f"{len(running)} real servers. A real account needs AWS credentials and the policy that",
        "`exposure-audit policy --cloud aws` prints; load balancer and database names are not looked up here.",
    ]
    return lines


def _run(command: list[str], variables: dict[str, str]) -> int:
    """Run a command inside the lab; its own ending counts. Ctrl-C reaches it too, what else stops us may not."""
    # `exposure-audit` is found inside the lab, wherever it was installed.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables, "PATH": path})  # noqa: S603
    except OSError as error:
        raise UsageError(f"cannot be run: {error.strerror}", where=command[0]) from None
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            return process.wait(STOP_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            process.terminate()
            return process.wait()


def _wait() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
