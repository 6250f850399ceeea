"""CPU of our collector against plain boto3 that makes the same calls, on the same canned answers.

    python benchmarks/collect.py [ROUNDS]

5,001 security groups, 2,001 instances, 150 databases and 90 load balancers over three regions. Each round runs both
in fresh processes, one after the other; the ratio of each round is taken, and the median of those is the figure.
Ours writes its snapshot to disk, plain boto3 keeps nothing. The figure to keep: at most 0.6.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
LIMIT = 0.6

PLAIN: tuple[tuple[str, str, int], ...] = (
    ("ec2", "describe_instances", 1000),
    ("ec2", "describe_network_interfaces", 1000),
    ("ec2", "describe_addresses", 0),
    ("ec2", "describe_security_groups", 1000),
    ("ec2", "describe_security_group_rules", 1000),
    ("ec2", "describe_network_acls", 1000),
    ("ec2", "describe_route_tables", 100),
    ("ec2", "describe_internet_gateways", 1000),
    ("ec2", "describe_egress_only_internet_gateways", 255),
    ("ec2", "describe_nat_gateways", 1000),
    ("ec2", "describe_subnets", 1000),
    ("ec2", "describe_vpcs", 1000),
    ("ec2", "describe_managed_prefix_lists", 100),
    ("elb", "describe_load_balancers", 400),
    ("rds", "describe_db_instances", 100),
    ("rds", "describe_db_clusters", 100),
)


def plain() -> None:
    """What a careful script with boto3 does: one session, paginators, large pages, one call after the other."""
    import boto3

    session: Any = boto3.Session()
    session.client("sts", region_name=REGIONS[0]).get_caller_identity()
    session.client("ec2", region_name=REGIONS[0]).describe_regions(AllRegions=True)
    for region in REGIONS:
        clients = {name: session.client(name, region_name=region) for name in ("ec2", "elb", "elbv2", "rds")}
        for service, operation, size in PLAIN:
            _all(clients[service], operation, size)
        balancing = clients["elbv2"]
        for page in _all(balancing, "describe_load_balancers", 400):
            for balancer in page["LoadBalancers"]:
                for listeners in _all(
                    balancing, "describe_listeners", 400, LoadBalancerArn=balancer["LoadBalancerArn"]
                ):
                    for listener in listeners["Listeners"]:
                        _all(balancing, "describe_rules", 400, ListenerArn=listener["ListenerArn"])
        for page in _all(balancing, "describe_target_groups", 400):
            for group in page["TargetGroups"]:
                balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])


def _all(client: Any, operation: str, size: int, **parameters: str) -> list[dict[str, Any]]:  # noqa: ANN401
    if not size:
        return [getattr(client, operation)(**parameters)]
    return list(client.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": size}))


def ours() -> None:
    """Our collector, into a folder that is thrown away."""
    from exposure_audit.collect.aws.run import collect_aws

    with tempfile.TemporaryDirectory() as folder:
        rows = collect_aws(Path(folder), regions=REGIONS, clock=lambda: "2026-01-01T00:00:00Z")
    assert all(row.status == "ok" for row in rows), [row for row in rows if row.status != "ok"]


def cpu_of(what: str, url: str) -> tuple[float, float]:
    """CPU seconds and wall-clock seconds of one run in a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE.parent),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), os.times().elapsed
    subprocess.run([sys.executable, __file__, what], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, os.times().elapsed - started


def calls(url: str) -> str:
    """What the server was asked since this was asked last."""
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        text: bytes = answer.read()
    return text.decode()


def main(rounds: int) -> None:
    """Measure, print, and fail when the figure is missed."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "canned_aws.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    assert server.stdin
    url = server.stdout.readline().strip()
    ratios = []
    try:
        for number in range(1, rounds + 1):
            theirs, their_wall = cpu_of("plain", url)
            asked = calls(url)
            mine, my_wall = cpu_of("ours", url)
            ours_asked = calls(url)
            assert ours_asked == asked, f"both must make the same calls:\n{asked}\n{ours_asked}"
            ratios.append(mine / theirs)
            print(
                f"round {number}: boto3 {theirs:.2f} s CPU ({their_wall:.1f} s wall), "
                f"ours {mine:.2f} s CPU ({my_wall:.1f} s wall), ratio {ratios[-1]:.2f}",
                flush=True,
            )
    finally:
        server.stdin.close()
        server.wait()
    median = statistics.median(ratios)
    print(f"CPU of collecting, ours / plain boto3: {median:.2f} (at most {LIMIT})")
    if median > LIMIT:
        sys.exit(1)


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "3"
    {"plain": plain, "ours": ours}.get(argument, lambda: main(int(argument)))()
