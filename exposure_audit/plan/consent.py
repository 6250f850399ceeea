"""Whom we may ask: what the user excludes is never planned, and says so."""

import fnmatch

import msgspec

from exposure_audit.errors import UsageError
from exposure_audit.model.addresses import AddressSet
from exposure_audit.model.exposure import Exposure
from exposure_audit.model.inventory import Asset

REFUSAL_TAG = "exposure-audit:probe"
"""An asset tagged with this key and the value `deny` is never asked."""


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What must not be asked."""

    addresses: AddressSet = AddressSet()
    patterns: tuple[str, ...] = ()
    """Globs over asset ids, asset names and DNS names."""
    ports: tuple[int, ...] = ()

    @classmethod
    def of(cls, excludes: tuple[str, ...]) -> "Consent":
        """Build from `--exclude` values: an address, a CIDR, `:port`, or a glob over ids and names."""
        addresses, patterns, ports = [], [], []
        for text in excludes:
            if text.startswith(":"):
                if not text[1:].isdigit() or not 1 <= int(text[1:]) <= 65535:
                    raise UsageError(f"not a port: {text!r}", where="--exclude", mend="write :9100")
                ports.append(int(text[1:]))
                continue
            try:
                addresses.append(AddressSet.of(text))
            except ValueError:
                patterns.append(text)
        united = AddressSet()
        for one in addresses:
            united = united | one
        return cls(addresses=united, patterns=tuple(patterns), ports=tuple(sorted(ports)))

    def refuses_address(self, address: str) -> str:
        """Say why an address or a name must not be asked; empty when it may."""
        try:
            if address in self.addresses:
                return "excluded by --exclude"
        except ValueError:
            pass  # A name: only patterns speak about names.
        return self._pattern(address)

    def refuses(self, exposure: Exposure, asset: Asset | None) -> str:
        """Say why an exposure must not be asked; empty when it may."""
        if asset and asset.tags.get(REFUSAL_TAG, "").lower() == "deny":
            return f"tagged {REFUSAL_TAG}=deny"
        names = (exposure.asset, exposure.native_id, asset.name if asset else "")
        return self.refuses_address(exposure.address) or next(filter(None, map(self._pattern, names)), "")

    def _pattern(self, name: str) -> str:
        for pattern in self.patterns:
            if name and fnmatch.fnmatchcase(name, pattern):
                return f"excluded by --exclude {pattern}"
        return ""
