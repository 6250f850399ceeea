"""From how the conversations on a port ended to the observation that says so."""

import msgspec

from exposure_audit.model.observation import Facts, Observation, Verdict
from exposure_audit.model.plan import Task
from exposure_audit.probe.dispatch import Result
from exposure_audit.probe.endings import Ending
from exposure_audit.probe.redact import clip, evidence, redact

_SHORT = 128
_REASON = 300


def observe(
    task: Task, result: Result, *, observed_at: str, duration: float, dialled: str, note: str = ""
) -> Observation:
    """Build the observation of one task. `dialled` is the address that a name resolved to."""
    ending, facts = result.ending, result.ending.facts
    if facts is None:
        verdict, reason = _judged(ending, result, task)
        facts = Facts(service="", verdict=verdict, evidence=result.said)
        known = ending.kind == "crashed"
        reason = clip("; ".join(filter(None, (reason, note))), _REASON)
    else:
        known, reason = True, ""
    return Observation(
        address=task.address,
        port=task.port,
        transport=task.transport,
        tls=result.tls,
        server_name=task.server_name,
        dialled=dialled if dialled != task.address else "",
        probe=result.probe.name if result.probe and known else "",
        service=facts.service,
        product=clip(facts.product, _SHORT),
        version=clip(facts.version, _SHORT),
        verdict=facts.verdict,
        access=facts.access,
        evidence=evidence(facts.evidence),
        reason=reason,
        amplification=facts.amplification,
        details={
            name: clip(redact(value)) if isinstance(value, str) else value for name, value in facts.details.items()
        },
        connections=result.connections,
        duration_ms=round(duration * 1000),
        observed_at=observed_at,
        exposure=task.exposure,
        asset=task.asset,
    )


def failed(task: Task, reason: str, *, observed_at: str) -> Observation:
    """An observation for what our side could not ask."""
    return Observation(
        address=task.address,
        port=task.port,
        transport=task.transport,
        server_name=task.server_name,
        verdict="error",
        reason=reason,
        observed_at=observed_at,
        exposure=task.exposure,
        asset=task.asset,
    )


def swept(task: Task, verdict: Verdict, reason: str, *, connections: int, observed_at: str) -> Observation:
    """An observation for a port that no conversation came about with."""
    return msgspec.structs.replace(
        failed(task, reason, observed_at=observed_at), verdict=verdict, connections=connections
    )


def _judged(ending: Ending, result: Result, task: Task) -> tuple[Verdict, str]:
    text = ending.text
    fixed: dict[str, tuple[Verdict, str]] = {
        "refused": ("closed", text or "ICMP port unreachable"),
        "no-answer": ("filtered", f"{text}, asked {_times(result.connections)}"),
        "out-of-scope": ("error", f"refused by the scope guard: {text}"),
        "local": ("error", text),
        "crashed": ("error", text),
        "mutual-tls": ("auth-required", f"mutual TLS: {text}"),
    }
    if ending.kind in fixed:
        return fixed[ending.kind]
    if task.transport == "udp" and not result.said:
        return "filtered", f"no answer to a datagram, asked {_times(result.connections)}"
    return "unidentified", _unidentified(ending, result)


def _unidentified(ending: Ending, result: Result) -> str:
    """What it did, and how long it stayed: the time until a server hangs up is evidence too."""
    said = "said nothing that a probe knows" if result.said else "said nothing"
    lasted = f"{ending.open_seconds:.1f} s"
    how = {
        "ended": f"closed after {lasted}",
        "reset": f"reset after {lasted}",
        "stalled": f"stayed open for {lasted}",
        "flooded": f"flooded: more than the budget of bytes in {lasted}",
        "no-tls": ending.text,
    }.get(ending.kind, "")
    if ending.text.startswith("accepted connections, then"):
        how = ending.text
    return ", ".join(filter(None, (f"accepts connections, {said}", how)))


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
