"""HTML for reading and sending on: one file that asks nothing of any network.

The template escapes everything that it is given. A content security policy allows the one style and the one script
of this file, by their hashes, and nothing else: what slips through the escaping still cannot run or load.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, BinaryIO

from exposure_audit.report.format import Format
from exposure_audit.report.nouns import LEVEL_WORDS, View

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = "html"
_SUBJECTS = 40
"""Subjects on the first screen; the others open on a click."""


def render(view: View, out: BinaryIO) -> None:
    """Write the whole report as one HTML file."""
    style, script = _part("report.css"), _part("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    loud = [one for one in view.subjects if one.loud]
    template = _environment().get_template("report.html.j2")
    stream = template.stream(
        view=view,
        policy=policy,
        style=style,
        script=script,
        first=loud[:_SUBJECTS],
        more=loud[_SUBJECTS:],
        quiet=[one for one in view.subjects if not one.loud],
        level_words=LEVEL_WORDS,
        titles={found.fingerprint: found for found in view.findings},
    )
    stream.enable_buffering(200)
    # A lone surrogate cannot get here: the view is tame.
    out.writelines(part.encode("utf-8") for part in stream)


def _part(name: str) -> str:
    return (files("exposure_audit.report.formats") / _FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _web(address: str) -> bool:
    """Whether a reference may become a link: nothing but a plain web address."""
    return address.startswith(("https://", "http://")) and not any(sign in address for sign in " \"'<>\\`")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_part),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["web"] = _web
    return environment


FORMAT = Format(name="html", title="one file to read and to send on", suffixes=(".html", ".htm"), render=render)
