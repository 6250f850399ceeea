"""Hosts that answer everything: a SYN proxy or a tarpit in front makes every port look open.

When three ports of one address accepted and said nothing that a probe knows, two ports that nobody planned are
tried. If both accept, accepting proves nothing there, and the observations say so; a recognised protocol still
counts.
"""

from collections.abc import Callable, Collection

import msgspec

from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import Task

SUSPICIOUS = 3
CANARIES = 2
NOTE = "answers everything: ports that nobody opened accept too"
_LOW, _HIGH = 49152, 65535
"""RFC 6335: the dynamic ports, where no service is registered."""


class EverythingCheck:
    """Counts unidentified ports by address, and says which canaries to send."""

    def __init__(self, planned: Collection[tuple[str, int, str]], nonce: Callable[[], int]) -> None:
        self._planned, self._nonce = planned, nonce
        self._seen: dict[str, list[Observation]] = {}
        self._accepted: dict[str, list[bool]] = {}

    def take(self, observation: Observation) -> tuple[Observation, list[Task]]:
        """Look at an observation; return it, marked where it must be, and the canaries to send now."""
        if observation.verdict != "unidentified" or observation.service or observation.transport != "tcp":
            return observation, []
        where = observation.address
        if self.answers_everything(where):
            return marked(observation), []
        seen = self._seen.setdefault(where, [])
        seen.append(observation)
        if len(seen) < SUSPICIOUS or where in self._accepted:
            return observation, []
        self._accepted[where] = []
        return observation, [
            Task(address=where, port=port, transport="tcp", server_name=observation.server_name)
            for port in self._ports(where)
        ]

    def canary(self, address: str, *, accepted: bool) -> list[Observation]:
        """Take what a canary met; return observations to be said again, marked."""
        self._accepted[address].append(accepted)
        if self.answers_everything(address):
            return [marked(one) for one in self._seen.pop(address)]
        return []

    def answers_everything(self, address: str) -> bool:
        """Say whether all canaries of an address were accepted."""
        accepted = self._accepted.get(address, [])
        return len(accepted) == CANARIES and all(accepted)

    def _ports(self, address: str) -> list[int]:
        ports: list[int] = []
        at = self._nonce()
        while len(ports) < CANARIES:
            port = _LOW + at % (_HIGH - _LOW + 1)
            if (address, port, "tcp") not in self._planned and port not in ports:
                ports.append(port)
            at = at // 7 + 7919
        return ports


def marked(observation: Observation) -> Observation:
    """The observation with the note that accepting proves nothing here."""
    return msgspec.structs.replace(observation, reason=f"{observation.reason}; {NOTE}")
