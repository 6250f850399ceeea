"""Every probe, one line and one file each, in alphabetical order."""

from exposure_audit._table import Table
from exposure_audit.probe.contract import Probe

_MODULES = "exposure_audit.probe.modules"

PROBES: Table[Probe] = Table(
    {
        "clickhouse-http": f"{_MODULES}.clickhouse_http:PROBE",
        "clickhouse-interserver": f"{_MODULES}.clickhouse_interserver:PROBE",
        "clickhouse-mysql": f"{_MODULES}.clickhouse_mysql:PROBE",
        "clickhouse-native": f"{_MODULES}.clickhouse_native:PROBE",
        "clickhouse-postgresql": f"{_MODULES}.clickhouse_postgresql:PROBE",
        "elasticsearch": f"{_MODULES}.elasticsearch:PROBE",
        "memcached": f"{_MODULES}.memcached:PROBE",
        "memcached-udp": f"{_MODULES}.memcached_udp:PROBE",
        "ntp": f"{_MODULES}.ntp:PROBE",
        "redis": f"{_MODULES}.redis:PROBE",
    }
)
