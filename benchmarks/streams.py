"""The peer of the probing benchmark: the same probes, the same exchanges, the same budgets, over asyncio streams.

Written as one would write it with asyncio: a task and a semaphore for each target, `open_connection`, `readuntil`,
and a deadline for the connect, for each wait and for the whole. `frugal` leaves the deadline of each wait out where
the one of the whole would do: the least that asyncio can cost, and less than the driver watches over.
"""

import asyncio  # noqa: TID253 - it is what is measured
from collections import Counter
from collections.abc import Mapping

from exposure_audit.model.observation import Facts
from exposure_audit.model.plan import Budget, Task
from exposure_audit.probe.contract import Command, Cut, NotThis, Peer, Probe, Receive, Reconnect, Send


class Wire:
    """One connection, opened again on demand."""

    def __init__(self, task: Task, budget: Budget, *, frugal: bool) -> None:
        self._task, self._budget, self._frugal = task, budget, frugal
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        """Connect within the budget."""
        connect = asyncio.open_connection(self._task.address, self._task.port)
        self._reader, self._writer = await asyncio.wait_for(connect, self._budget.connect_seconds)

    def close(self) -> None:
        """Close with RST, as the driver does."""
        self._writer.transport.abort()

    async def do(self, command: Command) -> bytes:
        """Serve one command of a probe. Raises Cut."""
        if isinstance(command, Send):
            self._writer.write(command.data)
            if self._frugal:
                await self._writer.drain()
            else:
                await asyncio.wait_for(self._writer.drain(), self._budget.total_seconds)
            return b""
        if isinstance(command, Reconnect):
            self.close()
            await self.open()
            return b""
        if not isinstance(command, Receive):
            raise Cut
        try:
            if command.wait is None and self._frugal:
                return await self._receive(command)
            patience = self._budget.total_seconds if command.wait is None else command.wait
            return await asyncio.wait_for(self._receive(command), patience)
        except TimeoutError:
            return b""
        except asyncio.IncompleteReadError as error:
            raise Cut(error.partial) from None
        except (asyncio.LimitOverrunError, OSError):
            raise Cut from None

    async def _receive(self, command: Receive) -> bytes:
        if command.until is not None:
            return await self._reader.readuntil(command.until)
        if command.exactly is not None:
            return await self._reader.readexactly(command.exactly)
        return await self._reader.read(command.at_most or 1)


async def _ask(task: Task, probe: Probe, budget: Budget, gate: asyncio.Semaphore, frugal: bool) -> str:
    async with gate:
        wire = Wire(task, budget, frugal=frugal)
        try:
            await wire.open()
        except (TimeoutError, OSError):
            return "lost"
        talk = probe.converse(Peer(host=task.address, port=task.port))
        try:
            async with asyncio.timeout(budget.total_seconds):
                command = next(talk)
                while True:
                    try:
                        command = talk.send(await wire.do(command))
                    except Cut as cut:
                        command = talk.throw(cut)
        except StopIteration as done:
            return done.value.verdict if isinstance(done.value, Facts) else "error"
        except (NotThis, Cut, TimeoutError):
            return "unidentified"
        finally:
            wire.close()


def run(tasks: tuple[Task, ...], probes: Mapping[str, Probe], budget: Budget, *, frugal: bool) -> Counter[str]:
    """Ask every task its first probe; return how many verdicts of which kind."""

    async def everything() -> list[str]:
        gate = asyncio.Semaphore(budget.in_flight)
        return await asyncio.gather(*(_ask(task, probes[task.probes[0]], budget, gate, frugal) for task in tasks))

    return Counter(asyncio.run(everything()))
