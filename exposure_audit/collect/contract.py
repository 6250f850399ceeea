"""What a cloud service is to the collector: the calls that it takes, and how to read their answers.

One file per service holds both: what to ask (`Call`s) and a pure `parse` of what was answered. The executor, the
reader and the printed policy all work through these tables, so none of them can drift from the others.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from exposure_audit.model.inventory import Coverage, Inventory, Noun
from exposure_audit.model.progress import Progress

T = TypeVar("T")
Parameters = dict[str, Any]
Scope = Literal["region", "global"]


class Place(msgspec.Struct, frozen=True, order=True):
    """One account in one region; `global` for what has no region."""

    provider: str
    account: str
    region: str

    def id(self, kind: str, native_id: str) -> str:
        """The asset id of something here."""
        return f"{self.provider}:{self.account}:{self.region}:{kind}/{native_id}"


class Answers(Protocol):
    """The answers that a snapshot holds for one place. Nothing here raises on what a file holds."""

    place: Place

    def one(self, call: str, kind: type[T]) -> T | None:
        """The answer of a call; None when it is not there or is no such answer."""

    def each(self, call: str, kind: type[T]) -> dict[str, T] | None:
        """The answers of a per-resource call by resource id; None as above, missing ids are absent."""

    def reject(self, call: str, why: str) -> None:
        """Say that an answer has the right shape and yet means nothing: it becomes a coverage gap."""

    def note(self, call: str, text: str) -> None:
        """Say what was done instead, when an answer is not there; added to its coverage gap."""


class Paging(msgspec.Struct, frozen=True):
    """How pages are asked for: `parameter` carries what the answer before gave as `token`."""

    size_parameter: str
    size: int
    parameter: str
    token: str


class Pace(msgspec.Struct, frozen=True):
    """A small share of a documented quota: sustained calls a second, and calls at once after a rest."""

    rate: float
    burst: int
    shared: bool
    """True: all calls of the service draw on one quota; False: each operation has its own."""


class PerResource(msgspec.Struct, frozen=True):
    """A call made once per resource."""

    needs: tuple[str, ...]
    """The calls whose answers say which resources there are."""
    parameters: Callable[[Answers], dict[str, Parameters] | None]
    """Resource id -> parameters; None when the answers needed are not there."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a cloud API."""

    service: str
    """The SDK's name of the API: `ec2`, `elbv2`."""
    operation: str
    results: tuple[str, ...]
    """The keys of the answer that are kept; lists are joined over the pages."""
    permission: str = ""
    """What a policy must allow; empty when the call needs no permission."""
    yields: tuple[Noun, ...] = ()
    pace: Pace
    paging: Paging | None = None
    parameters: Parameters = {}
    scope: Scope = "region"
    per: PerResource | None = None
    optional: bool = False
    """Nothing becomes unknown when a snapshot does not hold it."""

    @property
    def name(self) -> str:
        """`service.operation`: the name in coverage rows and, with `.json`, in the snapshot folder."""
        return f"{self.service}.{self.operation}"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A family of calls, and the pure function that reads their answers into nouns."""

    name: str
    """Same as its file and its catalog line."""
    calls: tuple[Call, ...]
    parse: Callable[[Answers], Inventory]


class Collect(Protocol):
    """The function that asks a cloud, and fills a snapshot folder."""

    def __call__(
        self,
        folder: Path,
        *,
        profile: str = "",
        roles: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
        clock: Callable[[], str],
        progress: Progress,
        timeout: float,
    ) -> tuple[Coverage, ...]:
        """Ask, keep whole answers, write the manifest. Raises UsageError when no credentials are found.

        `timeout`: seconds to wait for the next bytes of an answer.
        """


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """A provider: its services, how to ask it, and its least-privilege policy."""

    name: str
    services: Mapping[str, Service]
    collect: Collect
    policy: Callable[[], dict[str, Any]]
