"""Placeholders in the words of a rule: a closed set, checked when the rule is loaded.

Names come from clouds and servers, so they are hostile. In prose they are put in as they are: the view tames them
for each format. In commands each is quoted as one shell word. In Terraform everything but harmless characters is
replaced. A command whose names are not known is left out: half a command is worse than none.
"""

import re
import shlex
from collections.abc import Callable, Mapping

PLACEHOLDERS = {
    "address": "address or DNS name that was reached",
    "asset": "name of the asset, else its native id, else the address",
    "filter": "native id of the security group that let it in",
    "filter_rule": "native id of the rule in that security group",
    "front": "asset id of the load balancer in front",
    "native_id": "what the provider calls the asset",
    "port": "port, or range of ports",
    "product": "product that answered",
    "region": "region of the asset",
    "service": "service that answered",
    "target_port": "port at the target behind a front",
    "transport": "tcp or udp",
    "version": "version that answered",
}

_FORM = re.compile(r"\{([a-z_]+)\}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._:/@+=,-]")


def names(text: str) -> tuple[str, ...]:
    """Return the placeholders of a text, in order."""
    return tuple(_FORM.findall(text))


def prose(text: str, values: Mapping[str, str]) -> str:
    """Fill in a sentence; what is not known reads `?`."""
    return _FORM.sub(lambda found: values.get(found[1]) or "?", text)


def command(text: str, values: Mapping[str, str]) -> str:
    """Fill in a shell command, each value as one quoted word; empty when a value is not known.

    A value that begins with a dash could be read as an option: it is not known.
    """
    if any(values.get(name, "").startswith("-") for name in names(text)):
        return ""
    return _fill(text, values, shlex.quote)


def terraform(text: str, values: Mapping[str, str]) -> str:
    """Fill in HCL with harmless characters only; empty when a value is not known."""
    return _fill(text, values, lambda value: _NOT_PLAIN.sub("_", value))


def _fill(text: str, values: Mapping[str, str], tame: Callable[[str], str]) -> str:
    if not all(values.get(name) for name in names(text)):
        return ""
    return _FORM.sub(lambda found: tame(values[found[1]]), text)
