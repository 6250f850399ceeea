"""Writes a transcript from a real server on loopback, for a new probe or a new variant of its server.

    cd tests && python record.py redis 127.0.0.1:6379 yes "recorded from redis 7.0.15 (Debian)"

Read what came out before committing it: `expect` holds what the probe said, not what is right, and answers may hold
names of this machine.
"""

import json
import sys
from typing import Any

import msgspec
from replay import TALK, Ending, Step
from talk import talk

from exposure_audit import __version__
from exposure_audit.probe.catalog import PROBES


def shown(step: Step) -> dict[str, Any]:
    """A step as the file has it: text where it is text."""
    for name, data in (("send", step.asked), ("receive", step.said)):
        if data is None:
            continue
        if not all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in data):
            return {f"{name}_hex": data.hex()}
        text = data.decode("ascii")
        return {name: text.replace(f"exposure-audit/{__version__}", "exposure-audit/{version}")}
    if step.close:
        return {"close": step.close}
    return {"reconnect": True} if step.reconnect else {"silence": True}


def expected(ending: Ending) -> dict[str, Any]:
    if ending.facts is None:
        return {"cut": True} if ending.cut else {"not_this": True}
    facts = msgspec.structs.asdict(ending.facts) | {"evidence": ""}
    found: dict[str, Any] = json.loads(msgspec.json.encode(facts))
    return {name: value for name, value in found.items() if value not in ("", None, {})}


def transcript(probe: str, address: str, port: int, source: str) -> str:
    """The text of a transcript: one step a line."""
    nonce = 0x5E11A7
    ending, steps = talk(PROBES[probe], address, port, nonce=nonce)
    parts = {
        "probe": json.dumps(probe),
        "source": json.dumps(source),
        "peer": json.dumps({"host": address, "port": port, "nonce": nonce}),
        "talk": "[\n" + ",\n".join(f"    {json.dumps(shown(step))}" for step in steps) + "\n  ]",
        "expect": json.dumps(expected(ending)),
    }
    return "{\n" + ",\n".join(f'  "{name}": {text}' for name, text in parts.items()) + "\n}\n"


def main() -> None:
    probe, place, case, source = sys.argv[1:5]
    address, _, port = place.rpartition(":")
    file = TALK / probe / f"{case}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(transcript(probe, address, int(port), source))


if __name__ == "__main__":
    main()
