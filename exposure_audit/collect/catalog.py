"""Every cloud, one line and one folder each."""

from exposure_audit._table import Table
from exposure_audit.collect.contract import Cloud

CLOUDS: Table[Cloud] = Table({"aws": "exposure_audit.collect.aws.cloud:CLOUD"})
