"""The probe's side of a conversation: runs the generator against a link, counts, and knows when it is over.

It never waits: `advance` goes as far as the bytes at hand allow. When nothing more will come, `Cut` is thrown into
the probe; one that can still decide does, one that cannot ends here.
"""

from time import monotonic

from exposure_audit.model.observation import Facts
from exposure_audit.model.plan import Budget
from exposure_audit.probe.contract import (
    Command,
    Conversation,
    Cut,
    NotThis,
    Peer,
    Receive,
    Reconnect,
    Send,
    StartTLS,
)
from exposure_audit.probe.endings import SAID_BYTES, Attempt, Kind
from exposure_audit.probe.failures import TlsBroken
from exposure_audit.probe.link import StreamLink
from exposure_audit.probe.trace import Tracer, silent
from exposure_audit.probe.udp import DatagramLink

_COMMANDS = (Receive, Send, StartTLS, Reconnect)
Link = StreamLink | DatagramLink

MAX_COMMANDS = 10_000
"""A probe that yields more has lost its way."""


class Talk:
    """One run of one probe. `kind` is set when it is over; `due` is when `time_is_up` must be called."""

    __slots__ = (
        "_command", "_conversation", "_last_chance", "_patience", "_peer", "_trace", "_waiting_for", "asked",
        "deadline", "due", "facts", "kind", "link", "max_bytes", "name", "probe", "received", "reconnecting",
        "said", "sent_last", "spent", "text", "why", "why_text",
    )  # fmt: skip

    def __init__(self, attempt: Attempt, peer: Peer, budget: Budget, trace: Tracer) -> None:
        self.probe = attempt.probe
        self.name = attempt.probe.name if attempt.probe else ""
        self.link: Link | None = None
        self.max_bytes = budget.max_bytes
        self.deadline = self.due = 0.0
        self.kind: Kind | None = None
        self.facts: Facts | None = None
        self.text = ""
        self.said = bytearray()
        self.received = self.asked = 0
        self.sent_last = self.reconnecting = self.spent = self._last_chance = False
        self.why: Kind | None = None
        """What befell the stream, when that is known before the probe ends."""
        self.why_text = ""
        self._patience, self._peer, self._trace = attempt.patience, peer, trace
        self._command: Command | None = None
        self._waiting_for: Command | None = None
        self._conversation: Conversation | None = None

    @property
    def started(self) -> bool:
        """The probe has been asked for its first command."""
        return self._conversation is not None

    def listens_first(self) -> bool:
        """Say whether the probe expects the server to speak first."""
        return self.probe is not None and isinstance(next(self.probe.converse(self._peer), None), Receive)

    def begin(self) -> None:
        """Start the probe, or let it go on after a Reconnect."""
        if self._conversation is not None:
            self.reconnecting = False
            self._resume(b"")
        elif self.probe is None:
            self.finish("not-this", text="accepted")
        else:
            self._conversation = self.probe.converse(self._peer)
            self._resume(None)
        self.advance()

    def advance(self) -> None:
        """Serve the probe until it must wait for the peer, or ends."""
        while self.kind is None and not self.reconnecting:
            try:
                answer = self._serve()
            except Cut as cut:
                self._throw(cut)
                continue
            if answer is not None:
                self._resume(answer)
            elif self.received > self.max_bytes:
                self.spent, self.why = True, self.why or "flooded"
                self._throw(Cut(self._leftover()))
            else:
                self._set_due()
                return

    def _set_due(self) -> None:
        """We wait for the peer from here on: until when?"""
        command = self._command
        if command is not self._waiting_for:
            self._waiting_for = command
            self.due = self.deadline
            if isinstance(command, Receive):
                patience = self._patience if command.wait is None else command.wait
                self.due = min(self.deadline, monotonic() + patience)

    def heard(self) -> None:
        """Bytes came: the peer is not silent, and patience begins anew."""
        if isinstance(self._command, Receive) and self._command.wait is None:
            self.due = min(self.deadline, monotonic() + self._patience)
        self.advance()

    def time_is_up(self, now: float) -> None:
        """Nothing came within the time that `due` named."""
        command = self._command
        over = now >= self.deadline
        waits = isinstance(command, Receive) and command.wait is not None and command.at_most is not None
        if waits and not over:
            self._resume(b"")
        else:
            self.spent, self.why = over, self.why or "stalled"
            self._throw(Cut(self._leftover()))
        self.advance()

    def finish(self, kind: Kind, *, facts: Facts | None = None, text: str = "") -> None:
        """End; the first ending counts. What befell TLS explains more than what a probe made of the silence."""
        if self.kind is not None:
            return
        if kind in {"not-this", "ended", "reset", "stalled"} and self.why in {"mutual-tls", "no-tls"}:
            kind, text = self.why, self.why_text
        if kind == "not-this" and isinstance(self.link, DatagramLink) and self.link.refused:
            kind, text = "refused", "ICMP port unreachable"
        self.kind, self.facts, self.text = kind, facts, text or self.why_text

    def hear(self, data: bytes | memoryview) -> None:
        """The peer said something, in clear or decrypted; the first of it is evidence."""
        self.sent_last = False
        if len(self.said) < SAID_BYTES:
            self.said += data[: SAID_BYTES - len(self.said)]
        if self._trace is not silent:
            self._trace("received", bytes(data))

    def wire(self) -> Kind:
        """How the stream ended, as the vocabulary says it."""
        link = self.link
        if self.why is not None:
            return self.why
        if link is None or not link.ended:
            return "not-this"  # The probe gave up on an over-long line.
        if isinstance(link, DatagramLink):
            return "refused" if link.refused else "ended"
        return "reset" if link.reset else "ended"

    def close(self) -> None:
        """Let the generator go."""
        if self._conversation is not None:
            self._conversation.close()

    # --- commands ---

    def _serve(self) -> bytes | None:
        """Try to satisfy the current command; None when the peer must do something first. Raises Cut."""
        command, link = self._command, self.link
        assert link is not None  # noqa: S101 - for the type checker: talk begins on a link
        if isinstance(command, Receive):
            return link.take(command)
        if isinstance(command, Send):
            return None if link.outbox else b""
        return self._shake(link)

    def _shake(self, link: Link) -> bytes | None:
        if not isinstance(link, StreamLink):
            raise Cut
        try:
            return b"" if link.handshake() else None
        except TlsBroken as failure:
            self.why, self.why_text = failure.kind, failure.text
            raise Cut from None

    def _accept(self, command: object) -> None:
        """Begin what the probe asks for."""
        self.asked += 1
        if not isinstance(command, _COMMANDS):
            self._crashed(f"yielded {type(command).__name__}")
            return
        self._command, self._waiting_for = command, None
        if self.asked > MAX_COMMANDS:
            self._crashed("never ends")
        elif self.spent:
            self._throw(Cut(self._leftover()))
        elif isinstance(command, Send):
            self._send(command.data)
        elif isinstance(command, StartTLS):
            self._start_tls()
        elif isinstance(command, Reconnect):
            self.reconnecting = True

    def _send(self, data: bytes) -> None:
        assert self.link is not None  # noqa: S101
        self.sent_last = True
        if self._trace is not silent:
            self._trace("sent", data)
        if self.link.ended:
            return
        try:
            self.link.send(data)
        except TlsBroken as failure:
            self.why, self.why_text = failure.kind, failure.text

    def _start_tls(self) -> None:
        from exposure_audit.probe.tls import TlsLayer

        if isinstance(self.link, StreamLink):
            self.link.start_tls(TlsLayer(self._peer.host))

    def no_connection_left(self) -> None:
        """A Reconnect cannot be had: the probe decides with what it has."""
        self.reconnecting, self.spent = False, True
        self.why, self.why_text = self.why or "stalled", "no connection left in the budget"
        self._throw(Cut())
        self.advance()

    # --- the generator ---

    def _resume(self, answer: bytes | None) -> None:
        """Give the probe its answer (None: start it) and take its next command."""
        assert self._conversation is not None  # noqa: S101
        try:
            command = self._conversation.send(answer)  # type: ignore[arg-type]  # None starts a generator.
        except StopIteration as done:
            self._returned(done.value)
        except NotThis as why:
            self.finish("not-this", text=str(why))
        except Cut:
            self.finish(self.wire())
        except Exception as error:  # noqa: BLE001 - a probe's bug costs its own port, not the run
            self._crashed(type(error).__name__)
        else:
            self._accept(command)

    def _throw(self, cut: Cut) -> None:
        """Tell the probe that what it awaits will not come."""
        assert self._conversation is not None  # noqa: S101
        if self._last_chance:
            self.close()
            self.finish(self.wire())
            return
        self._last_chance = self.spent
        try:
            command = self._conversation.throw(cut)
        except StopIteration as done:
            self._returned(done.value)
        except NotThis as why:
            self.finish("not-this" if self.said else self.wire(), text=str(why))
        except Cut:
            self.finish(self.wire())
        except Exception as error:  # noqa: BLE001 - see above
            self._crashed(type(error).__name__)
        else:
            self._accept(command)

    def _returned(self, facts: object) -> None:
        if isinstance(facts, Facts):
            self.finish("facts", facts=facts)
        else:
            self._crashed(f"returned {type(facts).__name__}")

    def _crashed(self, what: str) -> None:
        self.finish("crashed", text=f"probe {self.name} failed: {what}")

    def _leftover(self) -> bytes:
        return bytes(self.link.inbox) if isinstance(self.link, StreamLink) else b""
