"""What a format is: a name, the endings its files have, and a function that prints the view."""

from collections.abc import Callable
from typing import BinaryIO

import msgspec

from exposure_audit.report.nouns import View


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One way to print a view. A format imports no other format and reads nothing but the view."""

    name: str
    """Same as its file and its line in the catalog."""
    title: str
    """What it is good for, in a few words."""
    suffixes: tuple[str, ...]
    """Usual endings of its files: `.md`."""
    render: Callable[[View, BinaryIO], None]
    """Writes the whole report, UTF-8 when it is text."""
