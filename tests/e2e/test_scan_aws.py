"""The main job: from an AWS account to a ranked checklist, over real HTTP, with real servers and traps.

AWS is a moto server; its elastic addresses are loopback addresses, and real servers stand behind them.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from program import report_of, run
from servers import CACHE, need

from exposure_audit.lab.estate import MACHINES, Placed, build
from exposure_audit.lab.moto import environment, moto_server
from exposure_audit.lab.servers.catalog import SERVERS

pytestmark = pytest.mark.xdist_group("estate")
REGIONS = ("--region", "eu-central-1", "--region", "us-east-1")
REAL = ("clickhouse", "memcached", "redis")


class Estate(NamedTuple):
    env: dict[str, str]
    address: dict[str, str]
    folder: Path
    result: Any
    code: int


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The demo estate, its servers, and one scan of it."""
    for name in REAL:
        need(name)
    folder = tmp_path_factory.mktemp("estate")
    with ExitStack() as stack:
        endpoint = stack.enter_context(moto_server(folder / "moto"))
        env = environment(endpoint)
        placed = build(endpoint, env)
        for one in placed:
            if one.machine.server in REAL:
                stack.enter_context(_start(one, folder))
        done = run(
            "scan", "--loopback-only", *REGIONS, "--run-dir", "run", "--format", "json=r.json", cwd=folder, env=env
        )
        assert "Traceback" not in done.stderr, done.stderr
        address = {one.machine.name: one.address for one in placed}
        yield Estate(env, address, folder, json.loads((folder / "r.json").read_text()), done.returncode)


def _start(one: Placed, folder: Path) -> Any:
    return SERVERS[one.machine.server].start(
        folder / one.machine.name, one.address, variant=one.machine.variant, cache=CACHE
    )


def verdicts(estate: Estate, name: str) -> dict[str, str]:
    """`port/transport` -> verdict, for one machine."""
    return {
        f"{one['port']}/{one['transport']}": one["verdict"]
        for one in estate.result["observations"]
        if one["address"] == estate.address[name]
    }


def rules(estate: Estate, name: str) -> set[str]:
    """The rules that hold for one machine, by its address."""
    return {
        one["rule"]
        for one in estate.result["findings"]
        if one["address"] == estate.address[name] and one["truth"] == "true"
    }


def test_the_gate_fails_and_says_that_names_were_not_asked(estate: Estate) -> None:
    assert estate.code == 1
    gate = estate.result["gate"]
    assert (gate["passed"], gate["complete"]) == (False, False)
    assert any("--loopback-only" in reason for reason in gate["reasons"])


def test_open_and_locked_servers_get_the_right_verdicts(estate: Estate) -> None:
    assert verdicts(estate, "ch-analytics") == dict.fromkeys(
        ("8123/tcp", "9000/tcp", "9009/tcp"), "unauthenticated"
    )
    assert verdicts(estate, "ch-billing") == {"8123/tcp": "auth-required", "9000/tcp": "auth-required"}
    assert verdicts(estate, "cache-sessions") == {"6379/tcp": "unauthenticated"}
    assert verdicts(estate, "cache-jobs") == {"6379/tcp": "auth-required"}
    assert verdicts(estate, "memo-1") == {"11211/tcp": "unauthenticated", "11211/udp": "amplifier"}
    assert verdicts(estate, "bastion") == {"22/tcp": "closed"}


def test_half_the_internet_twice_is_the_internet(estate: Estate) -> None:
    (found,) = [one for one in estate.result["exposures"] if one["address"] == estate.address["cache-sessions"]]
    assert (found["breadth"], found["sources"], found["sources_except"]) == ("internet", [], [])
    assert [hop["gate"] for hop in found["path"]] == [
        "address",
        "internet-gateway",
        "route",
        "network-acl",
        "network-acl",
        "security-group",
    ]
    assert found["path"][-1]["rule"].startswith("sgr-")


@pytest.mark.parametrize("name", ["etl-worker", "notebook", "vault-cache"])
def test_an_open_server_that_nobody_can_reach_is_not_asked(estate: Estate, name: str) -> None:
    assert verdicts(estate, name) == {}
    direct = [one for one in estate.result["exposures"] if one["address"] == estate.address[name]]
    assert direct == []


def test_what_the_network_acl_shuts_is_dormant(estate: Estate) -> None:
    dormant = [one for one in estate.result["exposures"] if one["dormant"]]
    assert any("network ACL" in hop["text"] for one in dormant for hop in one["path"])
    assert any(hop["text"] == "nothing uses it" for one in dormant for hop in one["path"])


def test_the_balancer_hands_a_private_redis_to_the_internet(estate: Estate) -> None:
    behind = [one for one in estate.result["exposures"] if one["via"] == "behind-front"]
    assert [(one["port_from"], one["target_port"], one["breadth"]) for one in behind] == [(6379, 6379, "internet")]
    assert "load-balancer-to-data-port" in {one["rule"] for one in estate.result["findings"]}


def test_rules_hold_where_they_should(estate: Estate) -> None:
    assert {"clickhouse-unauthenticated", "data-port-open-to-internet"} <= rules(estate, "ch-analytics")
    assert "store-open-to-internet" in rules(estate, "ch-billing")
    assert "clickhouse-unauthenticated" not in rules(estate, "ch-billing")
    assert {"memcached-unauthenticated", "memcached-udp-amplifier"} <= rules(estate, "memo-1")
    assert "store-open-to-few" in rules(estate, "office-tool")
    assert "redis-unauthenticated" not in rules(estate, "office-tool")
    assert "database-public" in {one["rule"] for one in estate.result["findings"]}


def test_a_proven_finding_ranks_above_one_by_rules_and_explains_its_score(estate: Estate) -> None:
    findings = [one for one in estate.result["findings"] if one["truth"] == "true"]
    assert [one["score"] for one in findings] == sorted((one["score"] for one in findings), reverse=True)
    assert findings[0]["severity"] == "critical"
    assert findings[0]["verified"]
    for one in findings:
        assert sum(factor["points"] for factor in one["score_factors"]) == one["score"]
    assert len({one["fingerprint"] for one in estate.result["findings"]}) == len(estate.result["findings"])


def test_the_checklist_follows(estate: Estate) -> None:
    status = {one["id"]: one["status"] for one in estate.result["checklist"]}
    assert status["no-open-stores"] == "fail"
    assert status["no-unclaimed-services"] == "unknown"


def test_the_same_snapshot_gives_the_same_answer_without_any_network(estate: Estate) -> None:
    again = run(
        "judge",
        "--snapshot",
        "run/1-snapshot",
        "--observations",
        "run/5-observations.jsonl",
        "--format",
        "json=again.json",
        cwd=estate.folder,
        env={"EXPOSURE_AUDIT_LOOPBACK_ONLY": "true"},
    )
    assert again.returncode == 1, again.stderr
    before, after = report_of(estate.folder / "r.json"), report_of(estate.folder / "again.json")
    for part in ("exposures", "observations", "findings", "checklist", "gate", "coverage", "assets"):
        assert after[part] == before[part], part


def test_a_run_whose_snapshot_is_whole_goes_on_without_credentials(estate: Estate) -> None:
    """They may have expired since; asking again would only lose what was read."""
    again = run("scan", "--resume", "--run-dir", "run", "--format", "json=resumed.json", cwd=estate.folder)
    assert again.returncode == 1, again.stderr
    assert report_of(estate.folder / "resumed.json") == report_of(estate.folder / "r.json")


def test_a_plan_is_saved_and_cut_to_what_is_ours_before_it_is_run(estate: Estate) -> None:
    saved = run("plan", "--snapshot", "run/1-snapshot", "--loopback-only", "-o", "plan.json", cwd=estate.folder)
    assert saved.returncode == 0, saved.stderr
    without = run("probe", "--plan", "plan.json", cwd=estate.folder)
    assert without.returncode == 2
    assert "ownership must be checked again" in without.stderr

    plan = json.loads((estate.folder / "plan.json").read_text())
    # Somebody adds a target that the account does not own.
    stranger = {**plan["tasks"][0], "address": estate.address["notebook"].rpartition(".")[0] + ".250", "port": 6379}
    plan["tasks"].append(stranger)
    plan["scope"]["targets"].append(stranger["address"])
    (estate.folder / "more.json").write_text(json.dumps(plan))
    ran = run("probe", "--plan", "more.json", "--snapshot", "run/1-snapshot", "-o", "o.jsonl", cwd=estate.folder)
    seen = {
        (one["address"], one["port"]): one
        for one in map(json.loads, (estate.folder / "o.jsonl").read_text().splitlines())
    }
    assert seen[estate.address["cache-sessions"], 6379]["verdict"] == "unauthenticated"
    refused = seen[stranger["address"], 6379]
    assert refused["verdict"] == "error"
    assert "scope" in refused["reason"]
    assert ran.returncode == 3


def test_an_old_snapshot_proves_no_ownership(estate: Estate) -> None:
    manifest = estate.folder / "run/1-snapshot/manifest.json"
    fresh = manifest.read_text()
    manifest.write_text(json.dumps({**json.loads(fresh), "started_at": "2025-01-29T10:00:00Z"}))
    try:
        done = run("scan", "--snapshot", "run/1-snapshot", "--loopback-only", cwd=estate.folder)
    finally:
        manifest.write_text(fresh)
    assert done.returncode == 2
    assert "may belong to others now" in done.stderr


def test_explain_shows_path_proof_score_and_mend(estate: Estate) -> None:
    finding = estate.result["findings"][0]
    done = run("explain", finding["fingerprint"][:16], "--from", "run", cwd=estate.folder)
    assert done.returncode == 0, done.stderr
    for part in ("PATH", "PROOF", "SCORE", "MEND", finding["path"][-1]["native_id"]):
        assert part in done.stdout


def test_standard_output_carries_data_and_nothing_else(estate: Estate) -> None:
    done = run("report", "--from", "run", "--format", "json=-", cwd=estate.folder)
    assert json.loads(done.stdout)["schema_version"] == "1"
    scan = run("scan", "--snapshot", "run/1-snapshot", "--no-probe", "--format", "json=-", cwd=estate.folder)
    assert json.loads(scan.stdout)["scan"]["vantage"] == "none"
    assert "FAILED" in scan.stderr


def test_every_machine_of_the_estate_is_an_asset(estate: Estate) -> None:
    names = {one["name"] for one in estate.result["assets"]}
    assert {machine.name for machine in MACHINES} <= names


def test_an_open_ssh_port_where_nothing_listens_is_said_lower(estate: Estate) -> None:
    assert rules(estate, "bastion") == {"admin-port-open-nothing-listens"}
