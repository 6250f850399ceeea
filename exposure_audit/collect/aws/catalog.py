"""Every AWS service, one line and one file each, in alphabetical order."""

from exposure_audit._table import Table
from exposure_audit.collect.contract import Service

_SERVICES = "exposure_audit.collect.aws.services"

SERVICES: Table[Service] = Table(
    {
        "account": f"{_SERVICES}.account:SERVICE",
        "ec2_acls": f"{_SERVICES}.ec2_acls:SERVICE",
        "ec2_groups": f"{_SERVICES}.ec2_groups:SERVICE",
        "ec2_interfaces": f"{_SERVICES}.ec2_interfaces:SERVICE",
        "ec2_networks": f"{_SERVICES}.ec2_networks:SERVICE",
        "ec2_prefix_lists": f"{_SERVICES}.ec2_prefix_lists:SERVICE",
        "ec2_routes": f"{_SERVICES}.ec2_routes:SERVICE",
        "elb": f"{_SERVICES}.elb:SERVICE",
        "elbv2": f"{_SERVICES}.elbv2:SERVICE",
        "rds": f"{_SERVICES}.rds:SERVICE",
    }
)
