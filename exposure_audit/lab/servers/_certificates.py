"""A certificate authority of one afternoon, by the openssl program."""

from dataclasses import dataclass
from pathlib import Path

from exposure_audit.errors import RunError
from exposure_audit.lab.servers._process import output, program

_DAYS = "7"


@dataclass(frozen=True)
class Certificates:
    """Paths of what a server and a client need."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path


def make(folder: Path, address: str) -> Certificates:
    """Make an authority, a server certificate for an address and a client certificate. Raises RunError."""
    openssl = program("openssl")
    if openssl is None:
        raise RunError("there is no openssl program", where=str(folder), mend="apt-get install openssl")
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    _run(openssl, "req", "-x509", *_new("exposure-audit lab", ca_key), "-days", _DAYS, "-out", str(ca))
    for name in ("server", "client"):
        key, request, cert = (folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        extension = folder / f"{name}.ext"
        extension.write_text(f"subjectAltName=IP:{address}\n")
        _run(openssl, "req", *_new(f"{name} of the lab", key), "-out", str(request))
        signed_by = ["-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial", "-extfile", str(extension)]
        _run(openssl, "x509", "-req", "-in", str(request), "-days", _DAYS, "-out", str(cert), *signed_by)
        if not cert.exists():
            raise RunError("openssl made no certificate", where=str(cert))
    return Certificates(
        ca, folder / "server.pem", folder / "server.key", folder / "client.pem", folder / "client.key"
    )


def _new(name: str, key: Path) -> list[str]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    return [*curve, "-subj", f"/CN={name}", "-keyout", str(key)]


def _run(*words: str) -> None:
    output(words, seconds=30)
