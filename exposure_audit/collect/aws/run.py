"""Asks AWS: accounts, their regions, and in each region every call of the catalog."""

import gc
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

import msgspec

from exposure_audit.collect.aws.ask import Asker, Patience, Refusal, Stopped, each_resource
from exposure_audit.collect.aws.catalog import SERVICES
from exposure_audit.collect.aws.outcome import Outcome
from exposure_audit.collect.aws.services.account import IDENTITY, REGIONS, Regions
from exposure_audit.collect.aws.session import CONNECT_SECONDS, READ_SECONDS, Account, Door, Rejected, Timeouts
from exposure_audit.collect.contract import Call, Parameters, Place
from exposure_audit.collect.limiter import Limiter
from exposure_audit.collect.run import run_calls
from exposure_audit.collect.snapshot import (
    SnapshotAnswers,
    clean,
    sort_coverage,
    write_answer,
    write_manifest,
)
from exposure_audit.model.inventory import Coverage, Noun
from exposure_audit.model.progress import Progress, silent

_EVERYTHING: tuple[Noun, ...] = get_args(Noun)


def collect_aws(
    folder: Path,
    *,
    profile: str = "",
    roles: tuple[str, ...] = (),
    regions: tuple[str, ...] = (),
    clock: Callable[[], str],
    progress: Progress = silent,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    timeout: float = READ_SECONDS,
) -> tuple[Coverage, ...]:
    """Fill a snapshot folder from AWS; return a coverage row for everything asked.

    Without `roles` the account of the caller's credentials is looked at, else the account of each role. Without
    `regions`, all that the account has enabled. Answers that the folder holds already are not asked for again: a
    killed run goes on where it was. `clock` gives RFC 3339 times for the manifest.

    Raises UsageError when there are no credentials at all, for an unknown profile or role, and RunError
    when the folder cannot be written. Refusals are rows, not errors; credentials that AWS rejects are a row too.
    """
    progress("collect", 0, 0)
    door = Door(profile, regions, Timeouts(read=timeout, connect=min(CONNECT_SECONDS, timeout)))
    clean(folder)
    started = clock()
    collector = _Collector(folder, patience)
    finished = ""
    try:
        with _rare_gc():
            accounts = collector.enter(door, roles)
            work = {place: _regional_calls() for one in accounts for place in collector.places(one, regions)}
            collector.run(work, progress)
        finished = clock()
    finally:
        rows = sort_coverage(collector.rows)
        if rows:
            write_manifest(folder, "aws", rows, started_at=started, finished_at=finished)
    return rows


@contextmanager
def _rare_gc() -> Iterator[None]:
    """Look for reference cycles less often: a page is a hundred thousand dictionaries, and none is in a cycle.

    With the usual thresholds the search takes an eighth of all CPU.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _regional_calls() -> tuple[Call, ...]:
    return tuple(call for service in SERVICES.values() for call in service.calls if call.scope == "region")


class _Collector:
    """The state of one collection."""

    def __init__(self, folder: Path, patience: Patience) -> None:
        self.rows: list[Coverage] = []
        self._folder = folder
        self._patience = patience
        self._limiter = Limiter()
        self._stop = threading.Event()
        self._accounts: dict[str, Account] = {}
        self._silent: set[tuple[Place, str]] = set()
        self._answered: set[Place] = set()

    def enter(self, door: Door, roles: tuple[str, ...]) -> list[Account]:
        """The accounts that let us in; the others leave a row."""
        attempts: Iterable[Callable[[], Account]] = [lambda role=role: door.assume(role) for role in roles]  # type: ignore[misc]
        for attempt in attempts or [door.own]:
            try:
                account = attempt()
            except Rejected as rejected:
                self._add("global", rejected.account, rejected.call, rejected.outcome, _EVERYTHING)
                continue
            if account.number in self._accounts:
                continue  # Two roles of one account: the first one looks.
            self._accounts[account.number] = account
            place = Place("aws", account.number, "global")
            kept = {key: account.identity.get(key) for key in IDENTITY.results}
            write_answer(self._folder, place, IDENTITY.name, msgspec.json.encode(kept) + b"\n")
            self.rows.append(_row(place, IDENTITY, None))
        return [*self._accounts.values()]

    def places(self, account: Account, wanted: tuple[str, ...]) -> list[Place]:
        """The regions of an account to look at; those that it has not enabled or AWS does not know leave a row."""
        place = Place("aws", account.number, "global")
        row = self._ask(place, REGIONS)
        listed = SnapshotAnswers(self._folder, place).one(REGIONS.name, Regions)
        if listed is None:
            chosen = wanted or (account.home_region,)
            if not wanted:
                detail = f"{row.detail}; only {account.home_region} was looked at"
                row = msgspec.structs.replace(row, detail=detail, yields=_EVERYTHING)
            self.rows.append(row)
            return [Place("aws", account.number, region) for region in chosen]
        self.rows.append(row)
        enabled = {one.RegionName: one.OptInStatus != "not-opted-in" for one in listed.Regions}
        for region in wanted or sorted(enabled):
            if region not in enabled:
                self._add(region, account.number, REGIONS.name, _no_region(region, enabled), _EVERYTHING)
            elif not enabled[region]:
                # A region that nobody enabled holds nothing; only when it was asked for by name is it a gap.
                outcome = Outcome("skipped", "the region is not enabled for this account")
                self._add(region, account.number, REGIONS.name, outcome, _EVERYTHING if wanted else ())
        chosen = tuple(dict.fromkeys(wanted)) or tuple(sorted(enabled))
        return [Place("aws", account.number, region) for region in chosen if enabled.get(region)]

    def run(self, work: dict[Place, tuple[Call, ...]], progress: Progress) -> None:
        """Make all calls; an interruption leaves a row for each that was not made."""
        try:
            run_calls(work, self._ask, self._leave, self.rows, stop=self._stop, progress=progress)
        except BaseException:
            asked = {(row.account, row.region, row.call) for row in self.rows}
            for place, calls in work.items():
                for call in calls:
                    if (place.account, place.region, call.name) not in asked:
                        self.rows.append(_row(place, call, Outcome("skipped", "interrupted")))
            raise

    def _leave(self, place: Place) -> None:
        self._accounts[place.account].leave(place.region)

    def _ask(self, place: Place, call: Call) -> Coverage:
        """Make one call, unless the folder holds its answer, and keep what came."""
        answers = SnapshotAnswers(self._folder, place)
        if call.per:
            wanted = call.per.parameters(answers)
            if wanted is None:
                return _row(place, call, Outcome("skipped", f"needs the answer of {', '.join(call.per.needs)}"))
            return self._ask_each(place, call, wanted, answers.each(call.name, msgspec.Raw) or {})
        held = answers.one(call.name, dict[str, msgspec.Raw])
        if held is not None and held.keys() >= {*call.results}:
            return _row(place, call, None)
        try:
            write_answer(self._folder, place, call.name, self._asker(place, call).all_pages({}))
        except Refusal as refusal:
            self._note_silence(place, call, refusal.outcome)
            return _row(place, call, refusal.outcome)
        except Stopped:
            return _row(place, call, Outcome("skipped", "interrupted"))
        self._answered.add(place)
        return _row(place, call, None)

    def _ask_each(
        self, place: Place, call: Call, wanted: dict[str, Parameters], held: dict[str, msgspec.Raw]
    ) -> Coverage:
        wrong = None
        if wanted.keys() - held.keys():
            data, wrong = each_resource(self._all_pages(place, call), wanted, held)
            write_answer(self._folder, place, call.name, data)
            if wrong:
                self._note_silence(place, call, wrong)
        return _row(place, call, wrong)

    def _all_pages(self, place: Place, call: Call) -> Callable[[Parameters], bytes]:
        """Ask lazily: a silent service refuses at the first resource, before a client is made."""
        return lambda parameters: self._asker(place, call).all_pages(parameters)

    def _asker(self, place: Place, call: Call) -> Asker:
        """Raises Refusal when the service was silent here before: waiting for it again helps nobody.

        Where two services were silent and nothing has ever answered, the whole region is given up.
        """
        if (place, call.service) in self._silent:
            raise Refusal(Outcome("failed", f"not asked: {call.service} was silent here before"))
        patience, silent = self._patience, sum(where == place for where, _ in self._silent)
        if silent and place not in self._answered:
            if silent > 1:
                raise Refusal(Outcome("failed", "not asked: nothing has answered here"))
            patience = msgspec.structs.replace(patience, silent=1, transient=1)
        account = self._accounts[place.account]
        region = account.home_region if place.region == "global" else place.region
        bucket = self._limiter.bucket(call.pace, place.account, place.region, call.service, call.operation)
        method = getattr(account.client(call.service, region), call.operation)
        return Asker(method, call, bucket, patience, self._stop)

    def _note_silence(self, place: Place, call: Call, outcome: Outcome) -> None:
        if outcome.retry == "silent":
            self._silent.add((place, call.service))

    def _add(self, region: str, account: str, call: str, outcome: Outcome, yields: tuple[Noun, ...]) -> None:
        self.rows.append(
            Coverage(
                provider="aws",
                account=account,
                region=region,
                call=call,
                status=outcome.status,
                detail=outcome.detail,
                yields=yields,
            )
        )


def _row(place: Place, call: Call, outcome: Outcome | None) -> Coverage:
    needs = f"; needs {call.permission}" if outcome and outcome.status == "denied" and call.permission else ""
    return Coverage(
        provider=place.provider,
        account=place.account,
        region=place.region,
        call=call.name,
        status=outcome.status if outcome else "ok",
        detail=f"{outcome.detail}{needs}" if outcome else "",
        yields=call.yields,
    )


def _no_region(region: str, known: Iterable[str]) -> Outcome:
    """A region that AWS does not know: the others are looked at all the same, and this one stays unknown."""
    close = get_close_matches(region, [*known], 1)
    mend = f"did you mean {close[0]}?" if close else "`aws ec2 describe-regions --all-regions` lists them"
    return Outcome("failed", f"AWS has no region {region!r}: {mend}")
