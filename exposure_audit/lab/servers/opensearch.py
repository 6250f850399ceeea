"""OpenSearch from Maven Central, with or without its security plugin.

`build` fetches the artefacts with mvn and compiles a small launcher, once; no distribution is needed.
"""

import re
import shutil
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers import _certificates
from exposure_audit.lab.servers._process import ask, ask_tls, launch, output, program, wait
from exposure_audit.lab.servers.contract import Order, Running, Server

START_SECONDS = 120.0
BUILD_SECONDS = 900.0
_SOURCES = Path(__file__).with_name("_opensearch")
_MEMORY = ("-Xms256m", "-Xmx512m")
_QUESTION = b"GET / HTTP/1.0\r\n\r\n"
_PLAIN = """cluster.name: lab
node.name: node-1
network.host: {address}
http.port: {http}
transport.port: {transport}
discovery.type: single-node
"""
_SECURE = """plugins.security.ssl.transport.pemcert_filepath: tls/server.pem
plugins.security.ssl.transport.pemkey_filepath: tls/server.key
plugins.security.ssl.transport.pemtrustedcas_filepath: tls/ca.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: {tls}
plugins.security.ssl.http.pemcert_filepath: tls/server.pem
plugins.security.ssl.http.pemkey_filepath: tls/server.key
plugins.security.ssl.http.pemtrustedcas_filepath: tls/ca.pem
plugins.security.allow_default_init_securityindex: true
plugins.security.restapi.roles_enabled: ["all_access"]
plugins.security.audit.type: noop
"""
# Nobody can log in: the lab asks without a credential only.
_NO_USERS = "_meta:\n  type: internalusers\n  config_version: 2\n"


def built(cache: Path) -> bool:
    """Whether `build` was here."""
    return (cache / "opensearch" / "classes" / "Launcher.class").exists()


def build(cache: Path) -> None:
    """Fetch about 90 MB from Maven Central and compile the launcher. Raises RunError when that fails."""
    mvn, javac = program("mvn"), program("javac")
    if mvn is None or javac is None:
        raise RunError(
            "mvn and javac are needed", where="opensearch", mend="apt-get install maven default-jdk-headless"
        )
    folder = cache.resolve() / "opensearch"
    folder.mkdir(parents=True, exist_ok=True)
    for source in _SOURCES.iterdir():
        shutil.copy(source, folder)
    said = output([mvn, "-B", "-q", "-f", str(folder / "pom.xml"), "package"], seconds=BUILD_SECONDS)
    if not (folder / "security").is_dir() or not any((folder / "lib").glob("opensearch-*.jar")):
        raise RunError(f"mvn did not fetch it: {said.strip()[-300:]}", where=str(folder))
    classes, path = folder / "classes", f"{folder}/lib/*"
    said = output([javac, "-d", str(classes), "-cp", path, str(folder / "Launcher.java")], seconds=120)
    if not built(cache):
        raise RunError(f"javac did not compile it: {said.strip()[-300:]}", where=str(folder))


def _missing(cache: Path) -> str | None:
    if program("java") is None:
        return "no java: apt-get install default-jdk-headless"
    if not built(cache):
        return "not built yet: python -m exposure_audit.lab.install"
    return None


def _secure(order: Order, home: Path, built_in: Path) -> str:
    """Prepare the security plugin; return the lines of configuration that it wants."""
    plugins, settings = home / "plugins", home / "config" / "opensearch-security"
    shutil.rmtree(plugins, ignore_errors=True)
    shutil.copytree(built_in / "security", plugins / "opensearch-security")
    shutil.copytree(built_in / "security" / "config", settings, dirs_exist_ok=True)
    (settings / "internal_users.yml").write_text(_NO_USERS)
    if order.variant == "anonymous":
        file = settings / "config.yml"
        file.write_text(file.read_text().replace("anonymous_auth_enabled: false", "anonymous_auth_enabled: true"))
    _certificates.make(home / "config" / "tls", order.address)
    return _SECURE.format(tls="true" if order.variant == "tls" else "false")


def _launch(order: Order) -> Running:
    java = program("java")
    if java is None:
        raise RunError("no java", where="opensearch")
    built_in, home = order.cache / "opensearch", order.run_dir / "home"
    config = home / "config"
    for folder in (config, home / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(built_in / "log4j2.properties", config)
    lines = _PLAIN.format(address=order.address, **order.ports)
    path = [built_in / "classes", built_in / "lib" / "*"]
    if order.variant == "open":
        path.append(built_in / "lib-netty" / "*")
    else:
        lines += _secure(order, home, built_in)
    (config / "opensearch.yml").write_text(lines)
    log = order.run_dir / "opensearch.log"
    words = [java, *_MEMORY, "-Dlog4j2.disable.jmx=true", "-cp", ":".join(map(str, path)), "Launcher", str(home)]
    process = launch(words, cwd=order.run_dir, log=log)

    def answers() -> bool:
        question = ask_tls if order.variant == "tls" else ask
        # The security plugin says 503 until its index is there.
        return bool(re.match(rb"HTTP/1\.[01] (?!503)", question(order.address, order.ports["http"], _QUESTION)))

    wait(process, answers, seconds=START_SECONDS, log=log)
    jar = next((built_in / "lib").glob("opensearch-[0-9]*.jar")).stem
    return Running(
        name="opensearch",
        service="elasticsearch",
        title="OpenSearch",
        version=jar.removeprefix("opensearch-"),
        variant=order.variant,
        address=order.address,
        ports=dict(order.ports),
        process=process,
        log=log,
    )


SERVER = Server(
    name="opensearch",
    service="elasticsearch",
    title="OpenSearch",
    ports={"http": 9200, "transport": 9300},
    variants={
        "open": "answers anyone",
        "locked": "wants a password",
        "anonymous": "knows visitors as anonymous, who may do nothing",
        "tls": "TLS only, wants a password",
    },
    missing=_missing,
    launch=_launch,
)
