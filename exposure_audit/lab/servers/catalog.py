"""Every real server that can be started, one line and one file each, in alphabetical order."""

from exposure_audit._table import Table
from exposure_audit.lab.servers.contract import Server

_SERVERS = "exposure_audit.lab.servers"

SERVERS: Table[Server] = Table(
    {
        "clickhouse": f"{_SERVERS}.clickhouse:SERVER",
        "memcached": f"{_SERVERS}.memcached:SERVER",
        "ntp": f"{_SERVERS}.ntp:SERVER",
        "opensearch": f"{_SERVERS}.opensearch:SERVER",
        "redis": f"{_SERVERS}.redis:SERVER",
    }
)
