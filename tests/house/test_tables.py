"""Every table equals its folder: a member that nobody listed, or a line without a member, is found here."""

from pathlib import Path

import pytest

from exposure_audit._table import Table
from exposure_audit.collect.catalog import CLOUDS
from exposure_audit.lab.servers.catalog import SERVERS
from exposure_audit.probe.catalog import PROBES
from exposure_audit.report.catalog import FORMATS

PACKAGE = Path(__file__).parents[2] / "exposure_audit"
TABLES: list[tuple[Table[object], Path, str]] = [
    (PROBES, PACKAGE / "probe/modules", "probe/catalog.py"),
    (FORMATS, PACKAGE / "report/formats", "report/catalog.py"),
    (SERVERS, PACKAGE / "lab/servers", "lab/servers/catalog.py"),
]


@pytest.mark.parametrize(("table", "folder", "catalog"), TABLES, ids=[catalog for _, _, catalog in TABLES])
def test_a_table_equals_its_folder(table: Table[object], folder: Path, catalog: str) -> None:
    files = {path.stem for path in folder.glob("*.py") if path.stem not in {"__init__", "catalog", "contract"}}
    files = {name for name in files if not name.startswith("_")}
    listed = {table.where(name).partition(":")[0].rpartition(".")[2] for name in table}
    assert listed == files, f"add one line a file to {catalog}, in alphabetical order; helpers start with _"
    assert list(table) == sorted(table), f"{catalog} is sorted by name"


@pytest.mark.parametrize("table", [PROBES, FORMATS, SERVERS, CLOUDS])
def test_every_member_can_be_imported(table: Table[object]) -> None:
    for name in table:
        assert table[name] is not None


def test_indexing_an_unknown_name_is_a_key_error_and_listing_imports_nothing() -> None:
    table: Table[object] = Table({"a": "no.such.module:A"})
    assert list(table) == ["a"]
    assert len(table) == 1
    with pytest.raises(KeyError):
        table["b"]
    with pytest.raises(ModuleNotFoundError):
        table["a"]
