"""The optional second opinion: nmap's service detection on open ports that nobody here recognised.

nmap names services by their banners; it does not say whether they ask for a password. So the verdict stays
`unidentified`, and only the name is taken over. https://nmap.org/book/man-version-detection.html
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from shutil import which
from typing import Any

import msgspec

from exposure_audit.errors import UsageError
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Budget, ProbePlan
from exposure_audit.probe.guard import ScopeGuard
from exposure_audit.probe.redact import clip

_INTENSITY = 5
"""Of 9: nmap's likely probes; the rarest ones cost minutes on a silent port."""
_SECONDS_A_PORT = 90
_START_SECONDS = 60


def second_opinion(
    observations: Sequence[Observation], plan: ProbePlan, *, program: str = "nmap"
) -> tuple[Observation, ...]:
    """Return the observations, those that nobody recognised with what nmap says of them.

    Raises UsageError when the nmap program is not there.
    """
    if which(program) is None:
        raise UsageError(
            "the nmap program is not installed", where="--discover nmap", mend="install nmap, or leave the flag out"
        )
    wanted = [one for one in observations if _unknown(one)]
    guard = ScopeGuard(plan.scope)
    ports: dict[str, list[int]] = defaultdict(list)
    for one in wanted:
        address = one.dialled or one.address
        if guard.refusal(address, one.port, name=one.address if one.dialled else "") is None:
            ports[address].append(one.port)
    said = {
        (address, port): facts
        for address, some in ports.items()
        for port, facts in _ask_nmap(address, some, plan.budget, program).items()
    }
    return tuple(_named(one, said.get((one.dialled or one.address, one.port), {})) for one in observations)


def _unknown(one: Observation) -> bool:
    return one.verdict == "unidentified" and not one.service and one.transport == "tcp"


def _ask_nmap(address: str, ports: Iterable[int], budget: Budget, program: str) -> Mapping[int, dict[str, Any]]:
    """Run nmap on one address; nothing of what it says is taken when it fails or takes too long."""
    import nmap

    # The address goes to a command line: only what is certainly an address may.
    literal = str(ipaddress.ip_address(address))
    asked = sorted(set(ports))
    try:
        scan = nmap.PortScanner(nmap_search_path=(program,))
        scan.scan(
            literal,
            ",".join(map(str, asked)),
            arguments=_arguments(literal, budget),
            timeout=_START_SECONDS + _SECONDS_A_PORT * len(asked),
        )
    except (nmap.PortScannerError, nmap.PortScannerTimeout):
        return {}
    if literal not in scan.all_hosts():
        return {}
    found: Mapping[int, dict[str, Any]] = dict(scan[literal].get("tcp", {}))
    return found


def _arguments(address: str, budget: Budget) -> str:
    """No name lookups, no host discovery, plain connects, and our own rate."""
    family = "-6 " if ":" in address else ""
    rate = f" --max-rate {budget.per_address_rate:g}" if budget.per_address_rate > 0 else ""
    return f"{family}-n -Pn -sT -sV --version-intensity {_INTENSITY} --max-retries 1{rate}"


def _named(one: Observation, facts: Mapping[str, Any]) -> Observation:
    name = str(facts.get("name") or "")
    # `tcpwrapped` means that the connection was closed at once: nmap knows no more than we do.
    if not _unknown(one) or not name or name in {"unknown", "tcpwrapped"} or not facts.get("conf"):
        return one
    product, version = str(facts.get("product") or ""), str(facts.get("version") or "")
    if int(str(facts["conf"])) <= 3:
        return one  # Guessed from the port number alone (nmap-services).
    return msgspec.structs.replace(
        one,
        service=clip(name, 64),
        product=clip(product, 128),
        version=clip(version, 128),
        details={**one.details, "second_opinion": "nmap"},
    )
