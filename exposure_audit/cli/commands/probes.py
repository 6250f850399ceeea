"""`probes`: what is asked, what proves what, and what is never done."""

from typing import Annotated

import typer

app = typer.Typer(
    help="List and show the probes.", rich_markup_mode=None, no_args_is_help=True, add_completion=False
)


@app.command("list")
def list_probes() -> None:
    """List every probe: name, ports, title."""
    from exposure_audit.cli.output import columns, save
    from exposure_audit.probe.catalog import PROBES

    rows = [
        (
            probe.name,
            ", ".join(f"{port}/{probe.transport}" for port in (*probe.ports, *probe.tls_ports)),
            probe.title,
        )
        for probe in PROBES.values()
    ]
    save("-", columns(rows).encode())


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a probe.")]) -> None:
    """Show one probe: what it sends, what it learns, what it never does."""
    from difflib import get_close_matches

    from exposure_audit.cli.output import save
    from exposure_audit.errors import UsageError
    from exposure_audit.probe.catalog import PROBES

    if name not in PROBES:
        near = get_close_matches(name, PROBES, n=1)
        raise UsageError(f"no probe {name!r}", mend=f"did you mean {near[0]}?" if near else "see probes list")
    probe = PROBES[name]
    lines = [
        f"{probe.name}: {probe.title}",
        f"  in clear on  {', '.join(map(str, probe.ports)) or 'no usual port'} ({probe.transport})",
        f"  over TLS on  {', '.join(map(str, probe.tls_ports)) or 'no usual port'}",
        f"  goes as far  {probe.safety}",
        *(f"  sends        {request}" for request in probe.sends),
        f"  never        {probe.never}",
        *(f"  learns       {fact} ({kind.__name__})" for fact, kind in sorted(probe.details.items())),
    ]
    save("-", "".join(f"{line}\n" for line in lines).encode())
