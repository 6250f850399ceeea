"""A small AWS on loopback that misbehaves as told: one function decides each answer."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import msgspec

_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
ACCOUNT = "111122223333"


class Asked(msgspec.Struct, frozen=True):
    """What a request asks for."""

    region: str
    action: str
    form: dict[str, str]


Reply = tuple[int, str] | None
"""Status and body; None: say nothing until the server stops."""


def ec2(asked: Asked, inner: str) -> Reply:
    return 200, f"<{asked.action}Response><requestId>r</requestId>{inner}</{asked.action}Response>"


def query(asked: Asked, inner: str) -> Reply:
    result = f"<{asked.action}Result>{inner}</{asked.action}Result>"
    return 200, f"<{asked.action}Response>{result}</{asked.action}Response>"


def ec2_error(code: str, status: int = 400) -> Reply:
    error = f"<Error><Code>{code}</Code><Message>said the server</Message></Error>"
    return status, f"<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"


def query_error(code: str, status: int = 400) -> Reply:
    error = f"<Error><Code>{code}</Code><Message>said the server</Message></Error>"
    return status, f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"


_EMPTY = {
    "DescribeInstances": "<reservationSet/>",
    "DescribeNetworkInterfaces": "<networkInterfaceSet/>",
    "DescribeAddresses": "<addressesSet/>",
    "DescribeSecurityGroups": "<securityGroupInfo/>",
    "DescribeSecurityGroupRules": "<securityGroupRuleSet/>",
    "DescribeNetworkAcls": "<networkAclSet/>",
    "DescribeRouteTables": "<routeTableSet/>",
    "DescribeInternetGateways": "<internetGatewaySet/>",
    "DescribeEgressOnlyInternetGateways": "<egressOnlyInternetGatewaySet/>",
    "DescribeNatGateways": "<natGatewaySet/>",
    "DescribeVpcs": "<vpcSet/>",
    "DescribeSubnets": "<subnetSet/>",
    "DescribeManagedPrefixLists": "<prefixListSet/>",
    "DescribeTargetGroups": "<TargetGroups/>",
    "DescribeDBInstances": "<DBInstances/>",
    "DescribeDBClusters": "<DBClusters/>",
}
REGIONS = {"us-east-1": "opt-in-not-required", "eu-west-1": "opted-in", "ap-east-1": "not-opted-in"}


def calm(asked: Asked) -> Reply:
    """An account with nothing in it."""
    if asked.action == "GetCallerIdentity":
        return query(
            asked, f"<UserId>u</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/u</Arn>"
        )
    if asked.action == "DescribeRegions":
        items = "".join(
            f"<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus></item>"
            for name, status in REGIONS.items()
        )
        return ec2(asked, f"<regionInfo>{items}</regionInfo>")
    if asked.action == "DescribeLoadBalancers":
        classic = asked.form["Version"] == "2012-06-01"
        return query(asked, "<LoadBalancerDescriptions/>" if classic else "<LoadBalancers/>")
    inner = _EMPTY[asked.action]
    return ec2(asked, inner) if asked.form["Version"] == "2016-11-15" else query(asked, inner)


class HostileAws:
    """A running server: where it is, what it was asked, and how it decides."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.decide: Callable[[Asked], Reply] = calm
        self.asked: list[Asked] = []
        self.over = threading.Event()

    def count(self, action: str, region: str = "") -> int:
        return sum(one.action == action and (not region or one.region == region) for one in self.asked)


@contextmanager
def serve() -> Iterator[HostileAws]:
    """Run a server on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
            scope = _SCOPE.search(self.headers["Authorization"])
            asked = Asked(scope[1] if scope else "", form["Action"], form)
            hostile.asked.append(asked)
            reply = hostile.decide(asked)
            if reply is None:
                hostile.over.wait(30)
                self.close_connection = True
                return
            data = reply[1].encode()
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is given
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hostile = HostileAws(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hostile
    finally:
        hostile.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
