"""Names to addresses, just before the packet: getaddrinfo in a few threads that nobody has to wait for."""

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

Resolve = Callable[[str], Sequence[str]]
"""Returns the addresses of a name, best first. Raises OSError when there are none."""

MAX_THREADS = 8
PATIENCE_SECONDS = 15.0
"""After that a name counts as not resolvable; its thread is written off, and another may take its place."""


def system_resolve(name: str) -> tuple[str, ...]:
    """Ask the system, as every program does. Raises OSError (socket.gaierror)."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


class Answer(Generic[T]):
    """What became of one question: addresses, or an error in our words."""

    __slots__ = ("addresses", "error", "token")

    def __init__(self, token: T, addresses: tuple[str, ...], error: str) -> None:
        self.token, self.addresses, self.error = token, addresses, error


class Resolver(Generic[T]):
    """Answers questions in the background; `fd` becomes readable when an answer is there.

    The threads are daemons: one that hangs in a dead name server holds up no exit.
    """

    def __init__(self, resolve: Resolve, *, patience: float = PATIENCE_SECONDS) -> None:
        self._resolve, self._patience = resolve, patience
        self._questions: SimpleQueue[tuple[int, str] | None] = SimpleQueue()
        self._answers: deque[tuple[int, tuple[str, ...], str]] = deque()
        self._tokens: dict[int, T] = {}
        self._begun: dict[int, float] = {}
        self._threads = self._lost = self._count = 0
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self.fd = self._ear.fileno()

    @property
    def pending(self) -> int:
        """Questions without an answer."""
        return len(self._tokens)

    def ask(self, name: str, token: T) -> None:
        """Begin to look a name up."""
        self._count += 1
        self._tokens[self._count] = token
        self._questions.put((self._count, name))
        self._hire()

    def answers(self) -> list[Answer[T]]:
        """Return the answers that came since the last call, and the failures of those that took too long."""
        with suppress(BlockingIOError):
            self._ear.recv(4096)
        found = []
        while self._answers:
            number, addresses, error = self._answers.popleft()
            if number in self._tokens:  # Else it was given up before.
                found.append(Answer(self._tokens.pop(number), addresses, error))
        late = monotonic() - self._patience
        for number, begun in list(self._begun.items()):
            if begun < late and number in self._tokens:
                self._lost += 1
                self._hire()
                why = f"no answer from the name servers within {self._patience:g} s"
                found.append(Answer(self._tokens.pop(number), (), why))
        return found

    def close(self) -> None:
        """Stop the idle threads; a busy one ends when its question does."""
        for _ in range(self._threads):
            self._questions.put(None)
        self._ear.close()
        self._bell.close()

    def _hire(self) -> None:
        if self._threads - self._lost < min(MAX_THREADS, self.pending):
            self._threads += 1
            Thread(target=self._work, name="resolve", daemon=True).start()

    def _work(self) -> None:
        while (question := self._questions.get()) is not None:
            number, name = question
            self._begun[number] = monotonic()
            try:
                self._answers.append((number, tuple(self._resolve(name)), ""))
            except (OSError, UnicodeError) as error:
                why = getattr(error, "strerror", None) or error
                self._answers.append((number, (), f"{name} cannot be resolved: {why}"))
            finally:
                self._begun.pop(number, None)
            with suppress(OSError):  # Full: then it rings already. Closed: then nobody listens.
                self._bell.send(b"!")
