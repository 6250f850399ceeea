"""ntpd (NTPsec or the classic one) with nothing but its own clock, on one loopback address.

It asks nobody for the time (local clock driver 127.127.1.0), cannot touch the clock of the machine, binds nothing
outside loopback and any port (see _ntp.c), and so needs no root.
"""

import re
import struct
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers._process import ask, compile_shim, launch, output, program, wait
from exposure_audit.lab.servers.contract import Order, Running, Server

START_SECONDS = 15.0
_TIME = b"\x23" + bytes(39) + struct.pack("!II", 1, 2)
_STATED = re.compile(r"ntpsec-(\d\S*)|ntpd (\d\S+)")
_UNPACKED = Path("ntpsec/usr/sbin/ntpd")


def binary(cache: Path) -> str | None:
    """An installed ntpd, or the one that `lab.install` unpacked (installing it would remove systemd-timesyncd)."""
    unpacked = cache / _UNPACKED
    return program("ntpd") or (str(unpacked.resolve()) if unpacked.exists() else None)


def _libraries(cache: Path) -> dict[str, str]:
    """Where the unpacked ntpd finds the libraries that were unpacked beside it."""
    folders = sorted({str(file.resolve().parent) for file in (cache / "ntpsec").glob("**/lib/*/lib*.so.*")})
    return {"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}


def _missing(cache: Path) -> str | None:
    server = binary(cache)
    if server is None:
        return "no ntpd: python -m exposure_audit.lab.install unpacks one"
    said = output([server, "--version"], environment=_libraries(cache))
    if not _STATED.search(said):
        return f"ntpd does not run here: {said.strip()[:200]}"
    if program("cc", "gcc", "clang") is None:
        return "no C compiler, which keeps ntpd on loopback: apt-get install gcc libc6-dev"
    return None


def _launch(order: Order) -> Running:
    server = binary(order.cache)
    if server is None:
        raise RunError("no ntpd", where="ntp")
    shim = compile_shim(Path(__file__).with_name("_ntp.c"), order.cache / "lib" / "ntp.so")
    refused = " noquery" if order.variant == "locked" else ""
    config = order.run_dir / "ntp.conf"
    config.write_text(
        "disable ntp\n"
        "server 127.127.1.0 minpoll 3\n"
        "fudge 127.127.1.0 stratum 10\n"
        "restrict default ignore\n"
        f"restrict 127.0.0.0 mask 255.0.0.0 nomodify nopeer{refused}\n"
    )
    port = order.ports["udp"]
    log = order.run_dir / "ntpd.log"
    environment = _libraries(order.cache) | {
        "LD_PRELOAD": str(shim),
        "LAB_NTP_ADDRESS": order.address,
        "LAB_NTP_PORT": str(port),
    }
    words = [server, "-4", "-n", "-c", str(config), "-I", "127.0.0.1"]
    process = launch(words, cwd=order.run_dir, log=log, environment=environment)
    wait(
        process,
        lambda: len(ask(order.address, port, _TIME, udp=True, seconds=0.3)) >= 48,
        seconds=START_SECONDS,
        log=log,
    )
    stated = _STATED.search(output([server, "--version"], environment=_libraries(order.cache)))
    return Running(
        name="ntp",
        service="ntp",
        title="NTPsec" if stated and stated[1] else "ntpd",
        version=(stated[1] or stated[2]) if stated else "",
        variant=order.variant,
        address=order.address,
        ports={"udp": port},
        process=process,
        log=log,
    )


SERVER = Server(
    name="ntp",
    service="ntp",
    title="NTP",
    ports={"udp": 123},
    variants={"open": "answers control queries of anyone", "locked": "tells the time and nothing else (noquery)"},
    missing=_missing,
    launch=_launch,
)
