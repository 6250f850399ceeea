"""AWS as one member of the table of clouds."""

from exposure_audit.collect.aws.catalog import SERVICES
from exposure_audit.collect.aws.run import collect_aws
from exposure_audit.collect.contract import Cloud
from exposure_audit.collect.policy import aws_policy

CLOUD = Cloud(name="aws", services=SERVICES, collect=collect_aws, policy=aws_policy)
