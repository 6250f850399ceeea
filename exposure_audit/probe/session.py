"""One conversation on the wire: connecting, TLS, listening, then talk; and the budgets of all of it.

A session is told when its link is ready and when its time is over. It never waits, and it always comes to an
Ending. After a Reconnect it stands in the queue again, because a new connection must wait its turn.
"""

from enum import Enum
from time import monotonic

from exposure_audit.model.plan import Budget
from exposure_audit.probe.contract import Peer
from exposure_audit.probe.endings import Attempt, Ending, Kind
from exposure_audit.probe.failures import TlsBroken, ending_of
from exposure_audit.probe.link import IN_PROGRESS, StreamLink
from exposure_audit.probe.poller import GONE
from exposure_audit.probe.talk import Talk
from exposure_audit.probe.trace import Tracer, silent
from exposure_audit.probe.udp import DatagramLink


class Phase(Enum):
    """Where a session is."""

    WAITING = 0  # for its turn to connect
    CONNECTING = 1
    HANDSHAKING = 2  # TLS from the first byte
    LISTENING = 3  # for a server that speaks first
    TALKING = 4
    OVER = 5


class Session:
    """One attempt. `due` is when `expire` must be called; phase OVER means that `ending` is set."""

    __slots__ = (
        "_budget", "_opened_at", "_paused_at", "_talk", "address", "attempt", "connections", "deadline", "due",
        "ending", "link", "max_connections", "peer", "phase",
    )  # fmt: skip

    def __init__(
        self,
        attempt: Attempt,
        peer: Peer,
        address: str,
        budget: Budget,
        *,
        max_connections: int,
        trace: Tracer = silent,
    ) -> None:
        self.attempt, self.peer, self.address = attempt, peer, address
        self.max_connections = max_connections
        self.phase = Phase.WAITING
        self.ending: Ending | None = None
        self.link: StreamLink | DatagramLink | None = None
        self.connections = 0
        self.due = self.deadline = self._opened_at = self._paused_at = 0.0
        self._budget = budget
        self._talk = Talk(attempt, peer, budget, trace)

    # --- connecting ---

    def connect(self) -> int:
        """Open a connection: 0 when it stands or the peer refused at once, EINPROGRESS when it is on its way.

        Any other errno is a failure of our own side: nothing has happened, and the driver may call again later.
        """
        try:
            link = DatagramLink(self.address) if self.peer.transport == "udp" else StreamLink(self.address)
        except OSError as error:
            return error.errno or 1
        code = link.connect(self.address, self.peer.port)
        if code and code not in IN_PROGRESS and ending_of(code)[0] == "local":
            link.close(politely=False)
            return code
        now = monotonic()
        first = self.connections == 0
        self.link = self._talk.link = link
        link.hear = self._talk.hear
        self.connections += 1
        self.phase = Phase.CONNECTING
        # After a Reconnect the time in the queue was not the peer's.
        self.deadline = now + self._budget.total_seconds if first else self.deadline + now - self._paused_at
        self._talk.deadline = self.deadline
        self.due = min(now + self._budget.connect_seconds, self.deadline)
        if code in IN_PROGRESS:
            return code
        if code:
            self.connect_failed(code)
        else:
            self._established(link)
        return 0

    def connect_failed(self, code: int) -> None:
        """The connect came to nothing, for this errno."""
        kind, text = ending_of(code)
        if kind == "reset":
            self._opened_at = self._opened_at or monotonic()
        self.end(kind, text=text)

    def _established(self, link: StreamLink | DatagramLink) -> None:
        self._opened_at = self._opened_at or monotonic()
        if self.attempt.tls and isinstance(link, StreamLink):
            from exposure_audit.probe.tls import TlsLayer

            link.start_tls(TlsLayer(self.peer.host))
            self.phase = Phase.HANDSHAKING
            self.due = min(self.deadline, monotonic() + self.attempt.patience)
            self._shake(link)
        elif self.attempt.listen and not self._talk.started:
            self.phase = Phase.LISTENING
            self.due = min(self.deadline, monotonic() + self.attempt.listen)
        else:
            self._begin()

    def _shake(self, link: StreamLink) -> None:
        try:
            done = link.handshake()
        except TlsBroken as failure:
            self.end(failure.kind, text=failure.text)
        else:
            if done:
                self._begin()

    def _begin(self) -> None:
        self.phase = Phase.TALKING
        self._talk.begin()
        self._after_talk()

    # --- what the loop tells ---

    @property
    def wants_write(self) -> bool:
        """The loop should say when the link can be written."""
        return self.phase is Phase.CONNECTING or (self.link is not None and bool(self.link.outbox))

    @property
    def wants_read(self) -> bool:
        """The loop should say when the link can be read."""
        return self.phase is not Phase.CONNECTING and self.link is not None and not self.link.ended

    def ready(self, signs: int) -> None:
        """The link can be written, or more, as the signs say (READABLE, GONE)."""
        link = self.link
        # `is`, not `in`: hashing a member of an Enum is a call into Python, and this is the hottest line of a run.
        if link is None or self.phase is Phase.OVER or self.phase is Phase.WAITING:
            return
        if self.phase is Phase.CONNECTING and isinstance(link, StreamLink):
            # Before a connection stands, anything but "writable" is an error; `selectors` cannot tell them apart.
            code = link.outcome()
            if code:
                self.connect_failed(code)
                return
            self._established(link)
        came = signs and self.link is link and self._read(link, drain=bool(signs & GONE))
        if link.outbox:
            link.flush()
        if self.phase is Phase.HANDSHAKING and isinstance(link, StreamLink):
            self._shake(link)
        elif self.phase is Phase.LISTENING:
            self._overheard(link)
        elif self.phase is Phase.TALKING and self.link is link:
            if came:
                self._talk.heard()
            else:
                self._talk.advance()
            self._after_talk()

    def _read(self, link: StreamLink | DatagramLink, *, drain: bool) -> bool:
        room = self._budget.max_bytes + 1 - self._talk.received
        before = link.received
        try:
            link.fetch(room, drain=drain)
        except TlsBroken as failure:
            # TLS 1.3 tells in the first record after the handshake that it wants a certificate.
            self._talk.why, self._talk.why_text = failure.kind, failure.text
        self._talk.received += link.received - before
        return link.received > before

    def _overheard(self, link: StreamLink | DatagramLink) -> None:
        """Something came before we asked: only a probe that listens first may have it."""
        if link.inbox and not self._talk.listens_first():
            self.end("spoke-first")
        elif link.inbox:
            self._begin()
        elif link.ended:
            self.end(self._talk.wire())

    def expire(self, now: float) -> None:
        """The time that `due` named is over, and nothing was ready by then."""
        if self.phase is Phase.CONNECTING:
            self.end("no-answer", text=f"no answer within {self._budget.connect_seconds:g} s")
        elif self.phase is Phase.HANDSHAKING:
            self.end("no-tls", text="no TLS: no answer to ClientHello")
        elif self.phase is Phase.LISTENING:
            self._begin()
        elif self.phase is Phase.TALKING:
            self._talk.time_is_up(now)
            self._after_talk()

    # --- the end ---

    def _after_talk(self) -> None:
        """Look what the probe came to: an end, a wait, or a wish for a new connection."""
        talk = self._talk
        if talk.reconnecting and talk.kind is None:
            if self.connections < self.max_connections:
                self._hang_up()
                talk.why, talk.why_text = None, ""
                self._paused_at = monotonic()
                self.phase = Phase.WAITING
                return
            talk.no_connection_left()
        if talk.kind is not None:
            self.end(talk.kind)
        else:
            self.due = talk.due

    def end(self, kind: Kind, *, text: str = "") -> None:
        """End; the first ending counts."""
        if self.phase is Phase.OVER:
            return
        talk = self._talk
        talk.finish(kind, text=text)
        self.phase = Phase.OVER
        self.ending = Ending(
            kind=talk.kind or kind,
            facts=talk.facts,
            said=bytes(talk.said),
            text=talk.text,
            tls=isinstance(self.link, StreamLink) and self.link.secure,
            connections=self.connections,
            open_seconds=monotonic() - self._opened_at if self._opened_at else 0.0,
        )
        self._hang_up()

    def _hang_up(self) -> None:
        """Close with RST when all that we sent was answered, politely when the server is in the middle.

        A server that greets counts connections that break off (MySQL blocks an address after a hundred), and
        RST would throw away a farewell that the peer has not read yet.
        """
        if self.link is not None:
            talk = self._talk
            self.link.close(politely=talk.sent_last or talk.asked == 0 or talk.why == "stalled")

    def abandon(self) -> None:
        """The run is interrupted: close what is open."""
        if self.link is not None:
            self.link.close(politely=False)
        self._talk.close()
