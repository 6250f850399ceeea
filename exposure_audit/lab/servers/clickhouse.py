"""ClickHouse, from Debian's 18.16 to today's: whatever ports that version has."""

import re
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import _certificates
from exposure_audit.lab.servers._process import accepts, ask, launch, program, wait
from exposure_audit.lab.servers.contract import Order, Running, Server

START_SECONDS = 40.0
PASSWORD = "of-the-lab"  # noqa: S105 - guards an empty server on loopback
_READY = b"GET /ping HTTP/1.0\r\n\r\n"
# The root element is called so by old versions and understood by new ones.
_CONFIG = """<yandex>
  <logger><level>information</level><log>{dir}/server.log</log><errorlog>{dir}/error.log</errorlog></logger>
  <listen_host>{address}</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{native}</tcp_port>
  <interserver_http_port>{interserver}</interserver_http_port>
  <interserver_http_host>{address}</interserver_http_host>
  <mysql_port>{mysql}</mysql_port>
  <postgresql_port>{postgresql}</postgresql_port>
  {interserver_credentials}
  {tls}
  <max_connections>256</max_connections>
  <max_concurrent_queries>32</max_concurrent_queries>
  <mark_cache_size>8388608</mark_cache_size>
  <uncompressed_cache_size>8388608</uncompressed_cache_size>
  <path>{dir}/data/</path>
  <tmp_path>{dir}/tmp/</tmp_path>
  <user_files_path>{dir}/user_files/</user_files_path>
  <format_schema_path>{dir}/format_schemas/</format_schema_path>
  <users_config>{dir}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
</yandex>
"""
_USERS = """<yandex>
  <profiles><default><max_memory_usage>200000000</max_memory_usage><readonly>{readonly}</readonly></default></profiles>
  <users><default>
    <password>{password}</password>
    <networks><ip>{network}</ip></networks>
    <profile>default</profile><quota>default</quota>
  </default></users>
  <quotas><default></default></quotas>
</yandex>
"""
_CREDENTIALS = f"""<interserver_http_credentials>
    <user>replica</user><password>{PASSWORD}</password>
  </interserver_http_credentials>"""


_TLS = """<https_port>{https}</https_port>
  <tcp_port_secure>{native_tls}</tcp_port_secure>
  <openSSL><server>
    <certificateFile>{cert}</certificateFile>
    <privateKeyFile>{key}</privateKeyFile>
    <verificationMode>none</verificationMode>
  </server></openSSL>"""


def _tls(order: Order) -> str:
    made = _certificates.make(order.run_dir / "tls", order.address)
    return _TLS.format(cert=made.server_cert, key=made.server_key, **order.ports)


def _command() -> list[str] | None:
    server = program("clickhouse-server")
    if server:
        return [server]
    one = program("clickhouse")
    return [one, "server"] if one else None


def _missing(_: Path) -> str | None:
    return None if _command() else "no clickhouse-server: apt-get install clickhouse-server"


def _write(order: Order) -> Path:
    locked = order.variant == "locked"
    for name in ("data", "tmp", "user_files", "format_schemas"):
        (order.run_dir / name).mkdir(exist_ok=True)
    config = order.run_dir / "config.xml"
    config.write_text(
        _CONFIG.format(
            dir=order.run_dir,
            address=order.address,
            interserver_credentials=_CREDENTIALS if locked else "",
            tls=_tls(order) if order.variant == "tls" else "",
            **order.ports,
        )
    )
    (order.run_dir / "users.xml").write_text(
        _USERS.format(
            password=PASSWORD if locked else "",
            # An address, not a prefix: 18.16 takes an IPv4 prefix for one of IPv6 and lets everybody in.
            network="192.0.2.1" if order.variant == "blocked" else "::/0",
            readonly="1" if order.variant == "readonly" else "0",
        )
    )
    return config


def _launch(order: Order) -> Running:
    command = _command()
    if command is None:
        raise RunError("no clickhouse-server", where="clickhouse")
    config = _write(order)
    log = order.run_dir / "output.log"
    process = launch([*command, f"--config-file={config}"], cwd=order.run_dir, log=log)
    names = ["native", "interserver", *(["https", "native_tls"] if order.variant == "tls" else [])]
    needed = [order.ports[name] for name in names]

    def answers() -> bool:
        ping = ask(order.address, order.ports["http"], _READY)
        return b" 200 " in ping[:16] and all(accepts(order.address, port) for port in needed)

    wait(process, answers, seconds=START_SECONDS, log=log)
    said = (order.run_dir / "server.log").read_text("utf-8", "replace")
    stated = re.search(r"Starting ClickHouse (\d[\d.]*\d)", said)
    return Running(
        name="clickhouse",
        service="clickhouse",
        title="ClickHouse",
        version=stated[1] if stated else "",
        variant=order.variant,
        address=order.address,
        ports={name: port for name, port in order.ports.items() if accepts(order.address, port)},
        process=process,
        log=log,
    )


SERVER = Server(
    name="clickhouse",
    service="clickhouse",
    title="ClickHouse",
    ports={
        "http": 8123,
        "native": 9000,
        "interserver": 9009,
        "mysql": 9004,
        "postgresql": 9005,
        "https": 8443,
        "native_tls": 9440,
    },
    variants={
        "open": "answers anyone",
        "locked": "wants a password, between replicas too",
        "readonly": "answers anyone, who may only read",
        "blocked": "its user may come from another address only",
        "tls": "answers anyone, over TLS too",
    },
    missing=_missing,
    launch=_launch,
)
