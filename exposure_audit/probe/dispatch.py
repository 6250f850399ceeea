"""Which question is asked next: the port orders the questions, the reply decides.

A desk holds what is known of one task. `next` names the next attempt, `learn` takes its ending; when `next` has no
more to name, `result` says what came of it all. It knows no time, no socket and no observation.
"""

from collections.abc import Sequence

import msgspec

from exposure_audit.model.plan import Budget, Task
from exposure_audit.probe.contract import Command, Peer, Probe, Receive
from exposure_audit.probe.endings import Attempt, Ending
from exposure_audit.probe.speech import Speech, speech

LISTEN_SECONDS = 0.3
"""How long a server that speaks first may take to begin, when nothing is known of the port."""

_FAMILIES = ("line", "http", "binary")
# A server that answers HTTP is asked nothing but HTTP; one that answers lines may still be an HTTP server that
# was shouted at; one that answers binary gets binary.
_KEEPS: dict[Speech, tuple[str, ...]] = {"http": ("http",), "line": ("line", "http"), "binary": ("binary",)}
_FINAL = frozenset({"facts", "mutual-tls", "out-of-scope", "local"})


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What all attempts on one port came to."""

    ending: Ending
    """The one that decides."""
    probe: Probe | None
    connections: int
    tls: bool
    said: bytes
    """The first thing that anybody heard."""


class Desk:
    """The questions for one task."""

    def __init__(self, task: Task, probes: Sequence[Probe], budget: Budget, *, host: str) -> None:
        self._task, self._budget, self._host = task, budget, host
        self._home = tuple(probe for probe in probes if task.port in probe.ports or task.port in probe.tls_ports)
        strangers = [probe for probe in probes if probe not in self._home]
        self._clear: list[Probe] = [*self._home, *(_by_turns(strangers) if len(strangers) > 1 else strangers)]
        self._sealed: list[Probe] = list(self._clear) if task.transport == "tcp" else []
        self._tls: bool | None = None
        self._try_tls = bool(self._home) and all(task.port not in probe.ports for probe in self._home)
        self._again: Attempt | None = None
        self._retried = False
        self._decided: tuple[Attempt, Ending] | None = None
        self._crash: tuple[Attempt, Ending] | None = None
        self._last: tuple[Attempt, Ending] | None = None
        self._said = b""
        self._accepted = False
        self.connections = 0

    @property
    def connections_left(self) -> int:
        """How many connections the budget still allows on this port."""
        return self._budget.max_connections - self.connections

    # --- what next ---

    def next(self) -> Attempt | None:
        """Return the next attempt; None when there is nothing more to ask."""
        if self._decided is not None or self.connections_left <= 0:
            return None
        if self._again is not None:
            attempt, self._again = self._again, None
            return attempt
        if self._try_tls and self._sealed:
            return self._attempt(self._sealed.pop(0), tls=True)
        probe = None if self._tls else self._pick()
        if probe is not None:
            self._clear.remove(probe)
            return self._attempt(probe, tls=False)
        return None if self._last else Attempt(probe=None, patience=self._budget.connect_seconds)

    def _attempt(self, probe: Probe, *, tls: bool) -> Attempt:
        home = probe in self._home
        first = self._last is None
        return Attempt(
            probe=probe,
            tls=tls,
            # A stranger's question that is answered at all is answered soon; at home a busy server has its time.
            patience=self._budget.total_seconds if home else self._budget.connect_seconds,
            listen=LISTEN_SECONDS if first and not home and not tls and self._task.transport == "tcp" else 0.0,
        )

    def _pick(self) -> Probe | None:
        """The next question in clear. Who waits for a greeting comes last, and not to a server without a word."""
        waiting = None
        for probe in self._clear:
            if probe in self._home or not self._waits(probe):
                return probe
            waiting = waiting or probe
        return waiting if self._said or self._last is None else None

    def _waits(self, probe: Probe) -> bool:
        first = self._first_command(probe)
        return isinstance(first, Receive) and first.wait is None

    def _first_command(self, probe: Probe) -> Command | None:
        peer = Peer(host=self._host, port=self._task.port, transport=self._task.transport)
        return next(probe.converse(peer), None)

    # --- what was learned ---

    def learn(self, attempt: Attempt, ending: Ending) -> None:
        """Take what came of an attempt."""
        first = self._last is None
        self._last = attempt, ending
        self.connections += ending.connections
        self._said = self._said or ending.said
        self._accepted = self._accepted or bool(ending.open_seconds)
        if ending.kind in _FINAL:
            self._decided = attempt, ending
        elif ending.kind == "crashed":
            self._crash = self._crash or (attempt, ending)
        elif ending.kind == "no-answer":
            self._unanswered(attempt, ending, first=first)
        elif ending.kind == "refused":
            self._decided = attempt, ending
        elif self._task.transport == "udp":
            self._heard_udp(attempt, ending)
        else:
            self._heard(attempt, ending)

    def _unanswered(self, attempt: Attempt, ending: Ending, *, first: bool) -> None:
        """Silence gets one retry, RST none: a packet can be lost, a refusal cannot."""
        if first:
            self._again = attempt
        else:
            self._decided = attempt, ending

    def _heard_udp(self, attempt: Attempt, ending: Ending) -> None:
        if not ending.said and not self._retried:
            self._retried, self._again = True, attempt

    def _heard(self, attempt: Attempt, ending: Ending) -> None:
        if attempt.tls:
            self._tls = self._tls or ending.tls
            if not self._tls:
                self._tls = self._try_tls = False
                return
            self._try_tls = True
            self._narrow(speech(ending.said), self._sealed)
            return
        kind = speech(ending.said)
        if ending.kind == "spoke-first":
            self._listeners_only()
        self._narrow(kind, self._clear)
        if self._tls is None and kind in {"tls", "silence"}:
            self._try_tls = True
            if ending.said.startswith(b"HTTP/"):
                self._narrow("http", self._sealed)

    def _listeners_only(self) -> None:
        self._clear = [one for one in self._clear if isinstance(self._first_command(one), Receive)]

    def _narrow(self, kind: Speech, probes: list[Probe]) -> None:
        keeps = _KEEPS.get(kind)
        if keeps:
            kept = [one for family in keeps for one in probes if one.family == family]
            # What lives here by its port keeps its question: some services answer strangers in another tongue.
            probes[:] = [one for one in probes if one in self._home and one not in kept] + kept

    # --- the end ---

    def result(self) -> Result | None:
        """Return what all attempts came to; None before the first one."""
        chosen = self._decided or self._crash or self._last
        if chosen is None:
            return None
        attempt, ending = chosen
        if ending.kind in {"refused", "no-answer"} and self._accepted and self._task.transport == "tcp":
            ending = msgspec.structs.replace(ending, kind="ended", text="accepted connections, then no more")
        return Result(
            ending=ending,
            probe=attempt.probe,
            connections=self.connections,
            tls=ending.tls or bool(self._tls) or ending.kind == "mutual-tls",
            said=self._said or ending.said,
        )


def _by_turns(probes: Sequence[Probe]) -> list[Probe]:
    """One probe of each family after the other: the first replies tell the families apart."""
    rows = [[probe for probe in probes if probe.family == family] for family in _FAMILIES]
    longest = max(map(len, rows), default=0)
    return [row[at] for at in range(longest) for row in rows if at < len(row)]
