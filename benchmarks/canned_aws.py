"""A small AWS made of canned answers: EC2, ELB, RDS and STS over the Query protocol, on loopback.

    python benchmarks/canned_aws.py        # prints its URL, serves until its standard input is closed

A simulator such as moto takes more CPU than the client that is measured; this one joins ready-made bytes. Three
regions share 5,001 security groups of five rules, 2,001 instances with an interface each, 150 databases, 90 load
balancers with a listener and a target group each, and what else a collector asks for.
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
GROUPS, INSTANCES, DATABASES, BALANCERS = 1667, 667, 50, 30
ACCOUNT = "123456789012"
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_RULES = (
    (22, "10.0.0.0/8"),
    (80, "0.0.0.0/0"),
    (443, "0.0.0.0/0"),
    (6379, "192.0.2.0/24"),
    (9000, "198.51.100.7/32"),
)


def _tags(name: str) -> str:
    pairs = (("Name", name), ("env", "prod"), ("team", "platform"))
    return "".join(f"<item><key>{key}</key><value>{value}</value></item>" for key, value in pairs)


def _group(n: int) -> str:
    rules = "".join(
        f"<item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort><groups/><ipRanges><item>"
        f"<cidrIp>{cidr}</cidrIp><description>rule for {port}</description></item></ipRanges><ipv6Ranges/>"
        "<prefixListIds/></item>"
        for port, cidr in _RULES
    )
    return (
        f"<item><ownerId>{ACCOUNT}</ownerId><groupId>sg-{n:017x}</groupId><groupName>group-{n}</groupName>"
        f"<groupDescription>group number {n}</groupDescription><vpcId>vpc-0a</vpcId><ipPermissions>{rules}"
        "</ipPermissions><ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item>"
        "<cidrIp>0.0.0.0/0</cidrIp></item></ipRanges><ipv6Ranges/><prefixListIds/></item></ipPermissionsEgress>"
        f"<tagSet>{_tags(f'group-{n}')}</tagSet></item>"
    )


def _rule(n: int) -> str:
    group, (port, cidr) = n // len(_RULES), _RULES[n % len(_RULES)]
    return (
        f"<item><securityGroupRuleId>sgr-{n:017x}</securityGroupRuleId><groupId>sg-{group:017x}</groupId>"
        f"<groupOwnerId>{ACCOUNT}</groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>"
        f"<fromPort>{port}</fromPort><toPort>{port}</toPort><cidrIpv4>{cidr}</cidrIpv4>"
        f"<description>rule for {port}</description><tagSet/></item>"
    )


def _attachment(n: int, owner: str) -> str:
    return (
        f"<attachment><attachmentId>eni-attach-{n:x}</attachmentId>{owner}<deviceIndex>0</deviceIndex>"
        "<status>attached</status><attachTime>2026-01-05T10:11:12.000Z</attachTime>"
        "<deleteOnTermination>true</deleteOnTermination><networkCardIndex>0</networkCardIndex></attachment>"
    )


def _interface(n: int, owner: str = "") -> str:
    public = f"<publicIp>203.0.113.{n % 250}</publicIp><publicDnsName>ec2-{n}.example</publicDnsName>"
    association = f"<association>{public}<ipOwnerId>amazon</ipOwnerId></association>"
    private = f"10.0.{n // 250}.{n % 250}"
    return (
        f"<item><networkInterfaceId>eni-{n:017x}</networkInterfaceId><subnetId>subnet-0a</subnetId>"
        f"<vpcId>vpc-0a</vpcId><availabilityZone>z-a</availabilityZone><description/><ownerId>{ACCOUNT}</ownerId>"
        f"<status>in-use</status><macAddress>0a:00:00:00:00:00</macAddress><privateIpAddress>{private}"
        "</privateIpAddress><privateDnsName>ip.internal</privateDnsName><sourceDestCheck>true</sourceDestCheck>"
        f"<groupSet><item><groupId>sg-{n:017x}</groupId><groupName>group-{n}</groupName></item></groupSet>"
        f"{_attachment(n, owner)}{association}<privateIpAddressesSet><item><privateIpAddress>{private}"
        f"</privateIpAddress><primary>true</primary>{association}</item></privateIpAddressesSet><ipv6AddressesSet/>"
        "<interfaceType>interface</interfaceType></item>"
    )


def _instance(n: int) -> str:
    return (
        f"<item><reservationId>r-{n:x}</reservationId><ownerId>{ACCOUNT}</ownerId><groupSet/><instancesSet><item>"
        f"<instanceId>i-{n:017x}</instanceId><imageId>ami-0123456789abcdef0</imageId><instanceState><code>16</code>"
        "<name>running</name></instanceState><privateDnsName>ip.internal</privateDnsName><keyName>key</keyName>"
        "<amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>m7g.large</instanceType>"
        "<launchTime>2026-01-05T10:11:11.000Z</launchTime><placement><availabilityZone>z-a</availabilityZone>"
        "<groupName/><tenancy>default</tenancy></placement><monitoring><state>disabled</state></monitoring>"
        "<subnetId>subnet-0a</subnetId><vpcId>vpc-0a</vpcId><architecture>arm64</architecture>"
        "<rootDeviceType>ebs</rootDeviceType><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>"
        f"<volumeId>vol-{n:x}</volumeId><status>attached</status><attachTime>2026-01-05T10:11:12.000Z</attachTime>"
        "<deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>"
        f"<tagSet>{_tags(f'host-{n}')}</tagSet><networkInterfaceSet>{_interface(n)}</networkInterfaceSet>"
        "<ebsOptimized>true</ebsOptimized></item></instancesSet></item>"
    )


def _database(n: int) -> str:
    return (
        f"<DBInstance><DBInstanceIdentifier>db-{n}</DBInstanceIdentifier><DBInstanceClass>db.m7g.large"
        "</DBInstanceClass><Engine>postgres</Engine><DBInstanceStatus>available</DBInstanceStatus><Endpoint><Address>"
        f"db-{n}.example</Address><Port>5432</Port></Endpoint><AllocatedStorage>100</AllocatedStorage>"
        "<InstanceCreateTime>2026-01-05T10:11:12.345Z</InstanceCreateTime><VpcSecurityGroups>"
        "<VpcSecurityGroupMembership><VpcSecurityGroupId>sg-00000000000000001</VpcSecurityGroupId><Status>active"
        "</Status></VpcSecurityGroupMembership></VpcSecurityGroups><AvailabilityZone>z-a</AvailabilityZone>"
        "<DBSubnetGroup><VpcId>vpc-0a</VpcId><Subnets><Subnet><SubnetIdentifier>subnet-0a</SubnetIdentifier>"
        "<SubnetAvailabilityZone><Name>z-a</Name></SubnetAvailabilityZone></Subnet></Subnets></DBSubnetGroup>"
        "<EngineVersion>16.3</EngineVersion><PubliclyAccessible>false</PubliclyAccessible><TagList/></DBInstance>"
    )


def _arn(kind: str, n: int) -> str:
    return f"arn:aws:elasticloadbalancing:r:{ACCOUNT}:{kind}/{n}"


def _balancer(n: int) -> str:
    return (
        f"<member><LoadBalancerArn>{_arn('loadbalancer/app/web', n)}</LoadBalancerArn><DNSName>web-{n}.example"
        "</DNSName><CreatedTime>2026-01-05T10:11:12.345Z</CreatedTime><LoadBalancerName>web</LoadBalancerName>"
        "<Scheme>internet-facing</Scheme><VpcId>vpc-0a</VpcId><State><Code>active</Code></State><Type>application"
        "</Type><AvailabilityZones><member><ZoneName>z-a</ZoneName><SubnetId>subnet-0a</SubnetId></member>"
        "</AvailabilityZones><SecurityGroups><member>sg-00000000000000001</member></SecurityGroups>"
        "<IpAddressType>ipv4</IpAddressType></member>"
    )


def _forward(n: int) -> str:
    return f"<member><Type>forward</Type><TargetGroupArn>{_arn('targetgroup/web', n)}</TargetGroupArn></member>"


def _target_group(n: int) -> str:
    return (
        f"<member><TargetGroupArn>{_arn('targetgroup/web', n)}</TargetGroupArn>"
        "<TargetGroupName>web</TargetGroupName><Protocol>HTTP</Protocol><Port>80</Port><VpcId>vpc-0a</VpcId><LoadBalancerArns><member>"
        f"{_arn('loadbalancer/app/web', n)}</member></LoadBalancerArns><TargetType>instance</TargetType></member>"
    )


_NETWORK = {
    "Vpcs": "<vpcSet><item><vpcId>vpc-0a</vpcId><cidrBlock>10.0.0.0/16</cidrBlock></item></vpcSet>",
    "Subnets": "<subnetSet><item><subnetId>subnet-0a</subnetId><vpcId>vpc-0a</vpcId>"
    "<cidrBlock>10.0.0.0/16</cidrBlock></item></subnetSet>",
    "NetworkAcls": "<networkAclSet/>",
    "RouteTables": "<routeTableSet/>",
    "InternetGateways": "<internetGatewaySet/>",
    "EgressOnlyInternetGateways": "<egressOnlyInternetGatewaySet/>",
    "NatGateways": "<natGatewaySet/>",
    "Addresses": "<addressesSet/>",
    "ManagedPrefixLists": "<prefixListSet/>",
    "Regions": "<regionInfo>"
    + "".join(
        f"<item><regionName>{name}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        for name in REGIONS
    )
    + "</regionInfo>",
}
_PAGED = {
    "DescribeSecurityGroups": ("securityGroupInfo", [_group(n) for n in range(GROUPS)]),
    "DescribeSecurityGroupRules": ("securityGroupRuleSet", [_rule(n) for n in range(GROUPS * len(_RULES))]),
    "DescribeInstances": ("reservationSet", [_instance(n) for n in range(INSTANCES)]),
    "DescribeNetworkInterfaces": (
        "networkInterfaceSet",
        [_interface(n, f"<instanceId>i-{n:017x}</instanceId>") for n in range(INSTANCES)],
    ),
}
_DATABASES = "".join(_database(n) for n in range(DATABASES))
_BALANCERS = "".join(_balancer(n) for n in range(BALANCERS))
_TARGET_GROUPS = "".join(_target_group(n) for n in range(BALANCERS))


def _ec2(action: str, form: dict[str, str]) -> str:
    if action in _PAGED:
        element, items = _PAGED[action]
        start, size = int(form.get("NextToken", "0")), int(form["MaxResults"])
        following = f"<nextToken>{start + size}</nextToken>" if start + size < len(items) else ""
        inner = f"<{element}>{''.join(items[start : start + size])}</{element}>{following}"
    else:
        inner = _NETWORK[action.removeprefix("Describe")]
    return f'<{action}Response xmlns="{_EC2}"><requestId>r-1</requestId>{inner}</{action}Response>'


def _query(service: str, action: str, form: dict[str, str]) -> str:
    number = int(next((value for key, value in form.items() if key.endswith("Arn")), "/0").rpartition("/")[2])
    listener = (
        f"<member><ListenerArn>{_arn('listener/app/web', number)}</ListenerArn><Port>443</Port><Protocol>HTTPS"
        f"</Protocol><DefaultActions>{_forward(number)}</DefaultActions></member>"
    )
    health = (
        f"<member><Target><Id>i-{number:017x}</Id><Port>80</Port></Target><TargetHealth><State>healthy</State>"
        "</TargetHealth></member>"
    )
    result = {
        "GetCallerIdentity": f"<UserId>u</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:iam::1:user/u</Arn>",
        "DescribeDBInstances": f"<DBInstances>{_DATABASES}</DBInstances>",
        "DescribeDBClusters": "<DBClusters/>",
        "DescribeListeners": f"<Listeners>{listener}</Listeners>",
        "DescribeRules": f"<Rules><member><Actions>{_forward(number)}</Actions></member></Rules>",
        "DescribeTargetGroups": f"<TargetGroups>{_TARGET_GROUPS}</TargetGroups>",
        "DescribeTargetHealth": f"<TargetHealthDescriptions>{health}</TargetHealthDescriptions>",
        "DescribeLoadBalancers": "<LoadBalancerDescriptions/>"
        if service == "classic"
        else f"<LoadBalancers>{_BALANCERS}</LoadBalancers>",
    }[action]
    metadata = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
    return f"<{action}Response><{action}Result>{result}</{action}Result>{metadata}</{action}Response>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    seen: dict[str, int] = {}  # noqa: RUF012 - one server a process
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
        scope = _SCOPE.search(self.headers["Authorization"])
        service = scope[2] if scope else ""
        action = form["Action"]
        with self.lock:
            self.seen[action] = self.seen.get(action, 0) + 1
        if service == "ec2":
            answer = _ec2(action, form)
        else:
            classic = form["Version"] == "2012-06-01"
            answer = _query("classic" if classic else service, action, form)
        data = answer.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """How often each action was asked for, since the last time this was asked."""
        with self.lock:
            text = " ".join(f"{name}={number}" for name, number in sorted(self.seen.items()))
            self.seen.clear()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the parameter's name is given
        """Say nothing."""


def main() -> None:
    """Serve until standard input is closed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
