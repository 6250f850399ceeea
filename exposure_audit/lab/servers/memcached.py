"""Memcached: open over TCP and UDP, or locked with a password file (which rules UDP out)."""

import os
import re
import secrets
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import _certificates
from exposure_audit.lab.servers._process import ask, ask_tls, launch, output, program, wait
from exposure_audit.lab.servers.contract import Order, Running, Server

START_SECONDS = 10.0
_MEGABYTES = "16"


def _missing(_: Path) -> str | None:
    return None if program("memcached") else "no memcached: apt-get install memcached"


def _launch(order: Order) -> Running:
    server = program("memcached")
    if server is None:
        raise RunError("no memcached", where="memcached")
    locked = order.variant == "locked"
    kind = "tls" if order.variant == "tls" else "tcp"
    tcp = order.ports[kind]
    words = [server, "-l", order.address, "-p", str(tcp), "-m", _MEGABYTES, "-t", "1", "-c", "256"]
    ports = {kind: tcp}
    if order.variant == "tls":
        made = _certificates.make(order.run_dir / "tls", order.address)
        words += ["-U", "0", "-Z", "-o", f"ssl_chain_cert={made.server_cert},ssl_key={made.server_key}"]
    elif locked:
        secret = order.run_dir / "auth"
        secret.write_text(f"lab:{secrets.token_hex(16)}\n")
        secret.chmod(0o600)
        words += ["-U", "0", "-Y", str(secret)]
    else:
        ports["udp"] = order.ports["udp"]
        words += ["-U", str(ports["udp"])]
    if os.geteuid() == 0:
        words += ["-u", "root"]  # It refuses root unless told so; the password file is ours alone.
    log = order.run_dir / "memcached.log"
    process = launch(words, cwd=order.run_dir, log=log)
    question = ask_tls if kind == "tls" else ask
    wait(process, lambda: bool(question(order.address, tcp, b"version\r\n")), seconds=START_SECONDS, log=log)
    stated = re.search(r"memcached (\S+)", output([server, "-V"]))
    return Running(
        name="memcached",
        service="memcached",
        title="Memcached",
        version=stated[1] if stated else "",
        variant=order.variant,
        address=order.address,
        ports=ports,
        process=process,
        log=log,
    )


SERVER = Server(
    name="memcached",
    service="memcached",
    title="Memcached",
    ports={"tcp": 11211, "udp": 11211, "tls": 11211},
    variants={
        "open": "answers anyone over TCP and UDP",
        "locked": "wants a password over TCP, no UDP",
        "tls": "answers anyone, over TLS only",
    },
    missing=_missing,
    launch=_launch,
)
