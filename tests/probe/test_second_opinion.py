"""The second opinion: the real nmap on a banner that no probe knows; and what happens without nmap."""

from shutil import which

import pytest
from peers import FAST, LOOPBACK, Server
from servers import unavailable

from exposure_audit.errors import UsageError
from exposure_audit.model.observation import Observation
from exposure_audit.model.plan import ProbePlan, Scope
from exposure_audit.probe.second_opinion import _arguments, _named, second_opinion


@pytest.fixture
def nmap() -> None:
    if which("nmap") is None:
        unavailable("the nmap program is not installed")


def strange(port: int, address: str = "127.0.0.1") -> Observation:
    return Observation(address=address, port=port, transport="tcp", verdict="unidentified", evidence="?")


def plan(scope: Scope = LOOPBACK) -> ProbePlan:
    return ProbePlan(scope=scope, budget=FAST)


@pytest.mark.usefixtures("nmap")
def test_nmap_names_a_banner_and_judges_nothing() -> None:
    with Server(lambda one: one.sendall(b"SSH-2.0-OpenSSH_9.7p1 Debian-7\r\n")) as server:
        known = Observation(address="127.0.0.1", port=1, transport="tcp", service="redis", verdict="auth-required")
        seen, same = second_opinion([strange(server.port), known], plan())
    assert (seen.verdict, seen.service, seen.product) == ("unidentified", "ssh", "OpenSSH")
    assert seen.version.startswith("9.7p1")
    assert seen.details == {"second_opinion": "nmap"}
    assert same is known


@pytest.mark.usefixtures("nmap")
def test_nmap_is_not_started_for_what_is_out_of_scope() -> None:
    with Server(lambda one: one.sendall(b"SSH-2.0-OpenSSH_9.7p1\r\n")) as server:
        (seen,) = second_opinion([strange(server.port)], plan(Scope(targets=("127.0.0.1",))))
        assert server.connections == 0
    assert seen.service == ""


def test_a_missing_program_is_said_with_a_mend() -> None:
    with pytest.raises(UsageError, match="nmap") as raised:
        second_opinion([strange(1)], plan(), program="nmap-that-is-not-there")
    assert raised.value.where == "--discover nmap"
    assert "install" in raised.value.mend


@pytest.mark.parametrize(
    "facts",
    [{}, {"name": "unknown", "conf": "10"}, {"name": "tcpwrapped", "conf": "8"}, {"name": "http", "conf": "3"}],
)
def test_a_guess_from_the_port_number_is_no_opinion(facts: dict[str, str]) -> None:
    assert _named(strange(8080), facts) == strange(8080)


def test_nmap_looks_up_no_name_and_keeps_our_rate() -> None:
    assert _arguments("::1", FAST).startswith("-6 -n -Pn -sT -sV")
    assert "--max-rate" not in _arguments("127.0.0.1", FAST)
    assert "--max-rate 5" in _arguments("127.0.0.1", ProbePlan().budget)
