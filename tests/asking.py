"""Asks one port on loopback with the real driver and every probe, as a scan does."""

from exposure_audit.model.observation import Observation, Transport
from exposure_audit.model.plan import ProbePlan, Scope, Task
from exposure_audit.probe.catalog import PROBES
from exposure_audit.probe.run import run_plan


def observe(
    address: str, port: int, transport: Transport = "tcp", *, measure: bool = True, probes: tuple[str, ...] = ()
) -> Observation:
    """The last word on a port. Without `probes` all of the transport are tried, those of the port first."""
    fitting = [name for name in PROBES if PROBES[name].transport == transport]
    fitting.sort(key=lambda name: port not in {*PROBES[name].ports, *PROBES[name].tls_ports})
    task = Task(address=address, port=port, transport=transport, probes=probes or tuple(fitting))
    plan = ProbePlan(
        tasks=(task,), scope=Scope(targets=(address,), loopback_only=True), measure_amplification=measure
    )
    seen: list[Observation] = []
    run_plan(plan, probes=PROBES, on_observation=seen.append)
    assert seen, "the driver says something about every port"
    return seen[-1]
