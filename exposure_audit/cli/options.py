"""The flags that several commands share. A flag that was not given is None, so that file and environment count."""

from typing import Annotated

import typer

Provider = Annotated[
    list[str] | None, typer.Option("--provider", help="Cloud to read: aws. Repeatable.", metavar="NAME")
]
Region = Annotated[list[str] | None, typer.Option("--region", help="Only this region. Repeatable.", metavar="NAME")]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of the AWS configuration.", metavar="NAME")]
AccountRole = Annotated[
    list[str] | None,
    typer.Option("--account-role", help="Role to assume, one per account. Repeatable.", metavar="ARN"),
]
Snapshot = Annotated[
    str | None, typer.Option("--snapshot", help="Read this snapshot folder instead of the clouds.", metavar="DIR")
]
Targets = Annotated[
    str | None,
    typer.Option(
        "--targets",
        help="Ask these: host, host:port, host:port/udp or CIDR, one a line; - is stdin.",
        metavar="FILE",
    ),
]
AllPorts = Annotated[
    bool | None, typer.Option("--all-ports", help="Ask every TCP port of wide ranges, not only known ones.")
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", help="Never ask this address, CIDR, :port, or glob of ids. Repeatable.", metavar="WHAT"
    ),
]
Rules = Annotated[
    list[str] | None, typer.Option("--rules", help="Folder with more rules. Repeatable.", metavar="DIR")
]
FailOn = Annotated[
    str | None,
    typer.Option("--fail-on", help="Fail from: critical, high, medium, low, never. Default high.", metavar="LEVEL"),
]
AllowIncomplete = Annotated[
    bool | None, typer.Option("--allow-incomplete", help="Exit 0 although something could not be looked at.")
]
Format = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        help="Write NAME=FILE: json, markdown, html, terminal; - is stdout. Repeatable.",
        metavar="NAME=FILE",
    ),
]
Vantage = Annotated[
    str | None, typer.Option("--vantage", help="What to call the place we ask from.", metavar="NAME")
]
Rate = Annotated[
    float | None, typer.Option("--rate", help="New connections a second in all; 0 is no limit.", metavar="N")
]
RatePerAddress = Annotated[
    float | None,
    typer.Option("--rate-per-address", help="New connections a second to one address; 0 is no limit.", metavar="N"),
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", help="Seconds for one conversation, all in all.", metavar="S")
]
ConnectTimeout = Annotated[
    float | None, typer.Option("--connect-timeout", help="Seconds to wait for a connection.", metavar="S")
]
InFlight = Annotated[
    int | None, typer.Option("--in-flight", help="Conversations and connection attempts at a time.", metavar="N")
]
MeasureAmplification = Annotated[
    bool | None,
    typer.Option(
        "--measure-amplification/--no-measure-amplification",
        help="Send one request that a reflector answers large, and count.",
    ),
]
AllowPrivate = Annotated[bool | None, typer.Option("--allow-private", help="Private addresses may be asked.")]
AllowLoopback = Annotated[bool | None, typer.Option("--allow-loopback", help="Loopback addresses may be asked.")]
LoopbackOnly = Annotated[
    bool | None, typer.Option("--loopback-only", help="Loopback and nothing else may be asked (lab, tests).")
]
Confirm = Annotated[
    bool | None,
    typer.Option("--confirm", help="Confirm open ClickHouse servers: version, grants, counts, never rows."),
]
Discover = Annotated[
    str | None, typer.Option("--discover", help="Second opinion on what nobody recognised: nmap.", metavar="NAME")
]
MaxAge = Annotated[
    float | None,
    typer.Option(
        "--max-age", help="Hours after which a snapshot proves no ownership. Default 24.", metavar="HOURS"
    ),
]
ApiTimeout = Annotated[
    float | None,
    typer.Option("--api-timeout", help="Seconds to wait for an answer of a cloud API. Default 30.", metavar="S"),
]
RunDir = Annotated[str | None, typer.Option("--run-dir", help="Keep the run's artefacts here.", metavar="DIR")]
Output = Annotated[str, typer.Option("--output", "-o", help="File to write; - is stdout.", metavar="FILE")]
