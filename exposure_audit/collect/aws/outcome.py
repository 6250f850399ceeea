"""What an exception of botocore means: a status, a reason, and whether to ask again."""

from typing import Literal

import msgspec

from exposure_audit.model.inventory import CoverageStatus

Retry = Literal["no", "throttled", "transient", "silent"]
"""`transient`: may go away. `silent`: nothing came in time; asking again costs as much again."""

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
}
_REJECTED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""The credentials themselves; a region that is not enabled says the same to some kinds of tokens."""
_DISABLED = {"AuthFailure", "OptInRequired", "Blocked", "PendingVerification"}
_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_UNSUPPORTED = {"InvalidAction", "UnsupportedOperation", "UnknownOperationException", "NotImplemented"}


class Outcome(msgspec.Struct, frozen=True):
    """How a call ended that did not end well."""

    status: CoverageStatus
    detail: str
    retry: Retry = "no"
    gone: bool = False
    """Only this resource is the trouble: it was deleted while we looked."""


_JUDGED = (
    (_DENIED, Outcome("denied", "")),
    (_REJECTED, Outcome("denied", "the credentials are not accepted here: ")),
    (_DISABLED, Outcome("skipped", "the region is not enabled for this account: ")),
    (_THROTTLED, Outcome("throttled", "", "throttled")),
    (_UNSUPPORTED, Outcome("unsupported", "")),
)
"""Error codes, and what they mean; the API's own words follow."""


def classify(error: Exception) -> Outcome:
    """Judge an exception of botocore."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _api_error(error.response)
    text = _line(str(error))
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError):
        return Outcome("failed", f"timed out: {text}", "silent")
    if isinstance(error, exceptions.EndpointConnectionError) and _no_such_host(error):
        return Outcome("unsupported", f"no such endpoint: {text}")
    if isinstance(error, exceptions.HTTPClientError):
        return Outcome("failed", text, "transient")
    # botocore's parsers raise their own error for what is no XML.
    return Outcome("failed", f"{type(error).__name__}: {text}", "transient")


def _api_error(response: object) -> Outcome:
    fields = response if isinstance(response, dict) else {}
    told = fields.get("Error") or {}
    code = str(told.get("Code", "")).removeprefix("Client.").removeprefix("Server.")
    status = int((fields.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0))
    detail = _line(f"{code}: {told.get('Message', '')}")
    for codes, judged in _JUDGED:
        if code in codes:
            return msgspec.structs.replace(judged, detail=f"{judged.detail}{detail}")
    if status == 429:
        return Outcome("throttled", detail, "throttled")
    if code.endswith("NotFound"):
        return Outcome("failed", detail, gone=True)
    return Outcome("failed", detail, "transient" if status >= 500 or not code else "no")


def _no_such_host(error: Exception) -> bool:
    """Whether the name of the endpoint does not resolve: urllib3 says so in the chain of causes."""
    cause: object = getattr(error, "kwargs", {}).get("error")
    return "NameResolutionError" in repr(cause) or "getaddrinfo failed" in str(cause)


def _line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
