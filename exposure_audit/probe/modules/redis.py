"""Redis and its kin (Valkey, KeyDB, Dragonfly, Sentinel): is a session granted without a password, to do what?

HELLO separates open, protected and limited servers in one round trip, even where PING and INFO are renamed.
https://redis.io/docs/latest/commands/hello/
"""

import re
from collections.abc import Generator

import msgspec

from exposure_audit.model.observation import Access, Facts, Verdict
from exposure_audit.probe.codec import resp
from exposure_audit.probe.contract import Command, Conversation, Cut, NotThis, Peer, Probe, Receive, Reconnect, Send

_BANNER_SECONDS = 0.2
# Said by a Redis that takes commands from us and cannot serve this one now.
_BUSY = ("LOADING ", "MASTERDOWN ", "MISCONF ", "BUSY ")
_PASSWORD = ("NOAUTH ", "ERR operation not permitted")


class _Answer(msgspec.Struct, frozen=True):
    """A value, or the text of a refusal."""

    value: resp.Value = None
    refusal: str = ""

    @property
    def unknown(self) -> bool:
        return self.refusal.lower().startswith("err unknown command")


def _ask(*words: str) -> Generator[Command, bytes, _Answer]:
    yield Send(resp.command(*words))
    try:
        return _Answer((yield from resp.value()))
    except resp.Refusal as refusal:
        return _Answer(refusal=str(refusal))


def _refused(text: str) -> Verdict:
    """What a refusal of the first question says. Raises NotThis when Redis does not talk like that."""
    if text.startswith("DENIED Redis is running in protected mode"):
        return "blocked"
    if text.startswith(_PASSWORD):
        return "auth-required"
    if text.startswith("NOPERM "):
        return "limited"
    if text.startswith(_BUSY):
        return "unauthenticated"
    if text.startswith("ERR max number of clients"):
        return "unidentified"  # Recognised; whether it wants a password stays unknown.
    raise NotThis("an error, but not one of Redis")


def _facts(verdict: Verdict, evidence: str) -> Facts:
    return Facts(service="redis", product="Redis", verdict=verdict, evidence=evidence.encode())


def _rights(user: dict[str, resp.Value]) -> Access:
    """Grade what the rules of our own user allow (ACL GETUSER), keys included."""
    reads = writes = False
    for rule in str(user.get("commands") or "").split():
        if rule in {"+@all", "-@all"}:
            reads = writes = rule[0] == "+"
        elif rule in {"+@read", "-@read", "+get", "-get"}:
            reads = rule[0] == "+"
        elif rule in {"+@write", "-@write", "+set", "-set"}:
            writes = rule[0] == "+"
    if not user.get("keys"):
        return "metadata"
    return "write" if writes else "read" if reads else "metadata"


def _product(info: dict[str, str], stated: str) -> tuple[str, str]:
    """Name and version of what answers, of the forks by the fields that only they have."""
    for name, product in (("valkey_version", "Valkey"), ("dragonfly_version", "Dragonfly")):
        if name in info:
            return product, info[name].removeprefix("df-v")
    version = info.get("redis_version", stated)
    return ("KeyDB" if "keydb" in info.get("executable", "") or "mvcc_depth" in info else "Redis"), version


def _keyspace(answer: resp.Value) -> dict[str, str | int | bool]:
    if not isinstance(answer, str) or "# Keyspace" not in answer:
        return {}
    counts = [
        int(found[1])
        for value in resp.info(answer).values()
        if (found := re.match(r"keys=(\d{1,18}),", value, re.ASCII))
    ]
    return {"databases": len(counts), "keys": sum(counts)}


def _explore(
    hello: dict[str, resp.Value], info: dict[str, str], details: dict[str, str | int | bool]
) -> Generator[Command, bytes, Access]:
    """Ask a granted session about the server and about our own rights; return the access that is proven.

    Fills `info` (with `refusal` when INFO is refused) and `details`.
    """
    access: Access = "metadata" if hello else "none"
    try:
        server = yield from _ask("INFO", "server")
        info |= resp.info(server.value)
        if server.refusal:
            info["refusal"] = server.refusal
        if "redis_version" in info:
            access = "metadata"
            details["os"] = info.get("os", "")
            details.setdefault("mode", info.get("redis_mode", ""))
        sentinel = details.get("mode") == "sentinel"
        if access == "metadata" and not sentinel:
            keys = yield from _ask("INFO", "keyspace")
            details |= _keyspace(keys.value)
        who = yield from _ask("ACL", "WHOAMI")
        if who.unknown and "redis_version" in info and not sentinel:
            access = "write"  # Before Redis 6 there were no rights: a session may do everything.
        elif isinstance(who.value, str) and re.fullmatch(r"[\w.-]{1,64}", who.value, re.ASCII):
            details["user"] = who.value
            rules = yield from _ask("ACL", "GETUSER", who.value)
            if rules.value is not None and not sentinel:
                access = _rights(resp.fields(rules.value))
    except (Cut, NotThis):
        pass  # The session is proven; what else it may do stays untold.
    return access


def _open(hello: dict[str, resp.Value], evidence: str) -> Generator[Command, bytes, Facts]:
    """A session was granted: say all that it tells."""
    details: dict[str, str | int | bool] = {
        name: text for name in ("mode", "role") if isinstance(text := hello.get(name), str)
    }
    info: dict[str, str] = {}
    access = yield from _explore(hello, info, details)
    refusal = info.get("refusal", "")
    limited = refusal.startswith("NOPERM ")
    product, version = _product(info, str(hello.get("version") or ""))
    return Facts(
        service="redis",
        product="Valkey" if hello.get("server") == "valkey" else product,
        version=version,
        verdict="limited" if limited else "unauthenticated",
        access=access,
        evidence=(f"{evidence} | {refusal}" if limited else evidence).encode(),
        details=details,
    )


def _greet() -> Generator[Command, bytes, _Answer]:
    """HELLO; proxies such as twemproxy hang up on what they do not know, so then PING on a new connection."""
    try:
        return (yield from _ask("HELLO"))
    except Cut as cut:
        if cut.data or cut.stalled:
            raise
    yield Reconnect()
    ping = yield from _ask("PING")
    if ping.value != "PONG":
        raise NotThis("no +PONG")
    return ping


def _converse(peer: Peer) -> Conversation:  # noqa: ARG001 - every probe takes its peer
    # In protected mode Redis speaks first and resets: a write would race with that.
    banner = yield Receive(at_most=2048, wait=_BANNER_SECONDS)
    if banner:
        if not banner.startswith(b"-"):
            raise NotThis("a server that speaks first")
        text = banner[1:].partition(b"\r\n")[0].decode("utf-8", "replace")
        return _facts(_refused(text), text)
    hello = yield from _greet()
    fields = resp.fields(hello.value)
    if {"server", "version", "proto"} <= set(fields):
        return (yield from _open(fields, f"HELLO: {fields['server']} {fields['version']}"))
    # Older than 6, renamed, or a proxy.
    ping = (yield from _ask("PING")) if hello.unknown else hello
    if ping.value == "PONG":
        return (yield from _open({}, "PING: +PONG"))
    if ping.unknown:
        facts = yield from _open({}, f"INFO, though {ping.refusal[:60]}")
        if not facts.version:
            raise NotThis("knows no command of Redis")
        return facts
    if not ping.refusal:
        raise NotThis("no answer of Redis")
    return _facts(_refused(ping.refusal), ping.refusal)


PROBE = Probe(
    name="redis",
    service="redis",
    title="Redis, Valkey, KeyDB, Dragonfly or Sentinel",
    transport="tcp",
    ports=(6379, 26379),
    tls_ports=(6380,),
    family="line",
    safety="read-metadata",
    sends=("HELLO", "PING", "INFO server", "INFO keyspace (counts)", "ACL WHOAMI", "ACL GETUSER of our own user"),
    never="reads, names or writes a key, changes the configuration, lists clients, guesses a password",
    details={"mode": str, "role": str, "os": str, "user": str, "databases": int, "keys": int},
    converse=_converse,
)
