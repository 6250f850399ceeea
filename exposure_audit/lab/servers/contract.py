"""What a server of the lab is: how to know whether it can be had, how to start it, how to stop it."""

import ipaddress
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from exposure_audit.errors import RunError

STOP_SECONDS = 3.0
"""What holds nothing of value is killed when it does not go by itself."""
CACHE = Path(".lab")
"""Where `lab.install` puts what it downloads and builds."""


def _first_free_port() -> int:
    """The lowest port that an ordinary user may have."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024


@dataclass
class Running:
    """A server that answers. Leaving the `with` block stops it."""

    name: str
    service: str
    title: str
    version: str
    variant: str
    address: str
    ports: dict[str, int]
    """Port by the name of what speaks there: `http`, `native`, `tcp`, `udp`, `tls`…"""
    process: "subprocess.Popen[bytes]" = field(repr=False)
    log: Path = field(repr=False)
    files: dict[str, Path] = field(default_factory=dict, repr=False)
    """Certificates that a client needs, by name: `ca`, `client_cert`, `client_key`."""

    @property
    def pid(self) -> int:
        """The process, which is ours alone."""
        return self.process.pid

    def stop(self) -> None:
        """End the process; kill it when it does not go by itself."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True, kw_only=True)
class Order:
    """How a server is to be started."""

    run_dir: Path
    """Configuration, data and log of this instance; made when missing."""
    address: str
    variant: str
    ports: Mapping[str, int]
    cache: Path


@dataclass(frozen=True, kw_only=True)
class Server:
    """A kind of server. `start` raises RunError when it cannot be had or does not answer in time."""

    name: str
    service: str
    title: str
    ports: Mapping[str, int]
    """Usual ports, by the names that Running uses."""
    variants: Mapping[str, str]
    """Name and meaning; `open` and `locked` always."""
    missing: Callable[[Path], str | None]
    launch: Callable[[Order], Running]

    def available(self, cache: Path = CACHE) -> str | None:
        """Say why this server cannot be started here; None when it can."""
        return self.missing(cache)

    def start(
        self,
        run_dir: Path,
        address: str,
        *,
        variant: str = "open",
        locked: bool = False,
        ports: Mapping[str, int] | None = None,
        cache: Path = CACHE,
    ) -> Running:
        """Start an instance on a loopback address and wait until it answers.

        `locked` is short for the variant of that name. `ports` replaces usual ports, by name.
        """
        variant = "locked" if locked and variant == "open" else variant
        if not ipaddress.ip_address(address).is_loopback:
            raise RunError(
                f"{address} is not a loopback address: nothing of the lab leaves this machine", where=self.name
            )
        if variant not in self.variants:
            raise RunError(f"no variant {variant!r}", where=self.name, mend=f"one of {', '.join(self.variants)}")
        if why := self.available(cache):
            raise RunError(why, where=self.name)
        run_dir.mkdir(parents=True, exist_ok=True)
        chosen = {**self.ports, **(ports or {})}
        low = min(chosen.values(), default=65535)
        if os.geteuid() != 0 and low < _first_free_port():
            raise RunError(f"port {low} needs root", where=self.name)
        order = Order(
            run_dir=run_dir.resolve(), address=address, variant=variant, ports=chosen, cache=cache.resolve()
        )
        return self.launch(order)
