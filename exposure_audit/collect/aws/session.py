"""All of boto3: one session per account, its clients, and who we are.

Loading the EC2 model costs a third of a second of CPU, so a session is never made per thread or region, and all
sessions share one loader. botocore's own retries are off: ours know the quota that they draw on.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from exposure_audit.collect.aws.expat import FastAnswers
from exposure_audit.collect.aws.outcome import Outcome, classify
from exposure_audit.errors import UsageError

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient

FALLBACK_REGION = "us-east-1"
SESSION_NAME = "exposure-audit"
_PAUSES = (0.5, 1.5)
"""Seconds between attempts to learn who we are."""
_ACCOUNT = re.compile(r"\d{12}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/.+")


CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait for a connection, and for the next bytes of an answer."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS


class Rejected(Exception):
    """AWS does not let us in: who was to be looked at, by which call we asked, and what came of it."""

    def __init__(self, account: str, call: str, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.account = account
        self.call = call
        self.outcome = outcome


class Account:
    """An account that we may ask, with a client per service and region. Thread-safe."""

    def __init__(
        self,
        session: "boto3.Session",
        identity: dict[str, Any],
        home_region: str,
        fast: FastAnswers,
        timeouts: Timeouts,
    ) -> None:
        self.identity = identity
        """What sts.get_caller_identity said."""
        self.number = str(identity.get("Account", ""))
        self.home_region = home_region
        """Where questions about the whole account are asked."""
        self._session = session
        self._fast = fast
        self._timeouts = timeouts
        self._lock = threading.Lock()  # boto3 sessions may not make two clients at once.
        self._clients: dict[tuple[str, str], BaseClient] = {}

    def client(self, service: str, region: str) -> "BaseClient":
        """The client of a service in a region, made when first asked for."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = make_client(self._session, service, region, self._fast, self._timeouts)
            return self._clients[key]

    def leave(self, region: str) -> None:
        """Close the clients of a region: hundreds of them would keep gigabytes."""
        with self._lock:
            for key in [key for key in self._clients if key[1] == region]:
                self._clients.pop(key).close()


def make_client(
    session: "boto3.Session", service: str, region: str, fast: FastAnswers, timeouts: Timeouts
) -> "BaseClient":
    """Make a client without botocore's retries, with the fast parser. Raises UsageError for a bad region name."""
    from botocore.config import Config
    from botocore.exceptions import InvalidRegionError

    config = Config(
        connect_timeout=timeouts.connect,
        read_timeout=timeouts.read,
        retries={"mode": "standard", "total_max_attempts": 1},
        parameter_validation=False,
        user_agent_extra=SESSION_NAME,
    )
    make: Any = session.client
    try:
        client: BaseClient = make(service, region_name=region, config=config)
    except InvalidRegionError as error:
        raise UsageError(str(error), where="--region", mend="for example us-east-1") from None
    fast.install(client)
    return client


class Door:
    """The way in: the caller's session, and roles assumed from it."""

    def __init__(self, profile: str, regions: tuple[str, ...], timeouts: Timeouts) -> None:
        import botocore.session
        from botocore import exceptions

        self._timeouts = timeouts
        self._fast = FastAnswers()
        self._core = botocore.session.Session(profile=profile or None)
        try:
            self._session = self._make_session(self._core)
            found = self._session.get_credentials()
            if found is not None:
                found.get_frozen_credentials()
        except exceptions.ProfileNotFound as error:
            raise UsageError(
                str(error), where="--profile", mend="`aws configure list-profiles` lists them"
            ) from None
        except exceptions.BotoCoreError as error:
            raise UsageError(
                f"the AWS credentials cannot be loaded: {error}", mend="with SSO: aws sso login; else check ~/.aws"
            ) from None
        if found is None:
            raise UsageError(
                "no AWS credentials found",
                mend="set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile NAME",
            )
        self._region = self._home(regions)

    def _make_session(self, core: object, **keys: str) -> "boto3.Session":
        import boto3

        make: Any = boto3.Session
        session: boto3.Session = make(botocore_session=core, **keys)
        return session

    def own(self) -> Account:
        """The account of the caller's credentials. Raises Rejected."""
        return self._identify(self._session, "unknown")

    def assume(self, role: str) -> Account:
        """The account of a role. Raises Rejected, and UsageError for what is no role ARN."""
        import botocore.session

        match = _ROLE.fullmatch(role)
        if not match:
            raise UsageError(
                f"not the ARN of a role: {role!r}",
                where="--account-role",
                mend="arn:aws:iam::<account>:role/<name>",
            )
        sts: Any = make_client(self._session, "sts", self._region, self._fast, self._timeouts)
        answer = _asked(
            match[1], "sts.assume_role", lambda: sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)
        )
        try:
            keys = {
                "aws_access_key_id": answer["Credentials"]["AccessKeyId"],
                "aws_secret_access_key": answer["Credentials"]["SecretAccessKey"],
                "aws_session_token": answer["Credentials"]["SessionToken"],
                "region_name": self._region,
            }
        except KeyError as missing:
            outcome = Outcome("failed", f"the answer holds no {missing}")
            raise Rejected(match[1], "sts.assume_role", outcome) from None
        core = botocore.session.Session()
        core.register_component("data_loader", self._core.get_component("data_loader"))
        return self._identify(self._make_session(core, **keys), match[1])

    def _home(self, regions: tuple[str, ...]) -> str:
        """The configured region, or one that the user named: another partition has its own STS."""
        partitions = self._session.get_available_partitions()
        known = {name for one in partitions for name in self._session.get_available_regions("ec2", one)}
        named = (region for region in regions if region in known)
        return self._session.region_name or next(named, FALLBACK_REGION)

    def _identify(self, session: "boto3.Session", expected: str) -> Account:
        sts: Any = make_client(session, "sts", self._region, self._fast, self._timeouts)
        answer = _asked(expected, "sts.get_caller_identity", sts.get_caller_identity)
        account = Account(session, answer, self._region, self._fast, self._timeouts)
        if not _ACCOUNT.fullmatch(account.number):
            outcome = Outcome("failed", f"not an account number: {account.number[:40]!r}")
            raise Rejected(expected, "sts.get_caller_identity", outcome)
        return account


def _asked(account: str, call: str, ask: Callable[[], Any]) -> dict[str, Any]:
    """Ask, and again when that may help. Raises Rejected."""
    for pause in (*_PAUSES, None):
        try:
            answer: dict[str, Any] = ask()
        except Exception as error:  # noqa: BLE001 - botocore's parsers and urllib3 raise what they like
            outcome = classify(error)
            if pause is None or outcome.retry == "no":
                raise Rejected(account, call, outcome) from None
            time.sleep(pause)
        else:
            return answer
    raise AssertionError("the last attempt ends in an answer or in Rejected")
