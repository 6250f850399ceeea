"""Every format: one line a file of `report/formats`, in alphabetical order."""

from exposure_audit._table import Table
from exposure_audit.report.format import Format

FORMATS: Table[Format] = Table(
    {
        "html": "exposure_audit.report.formats.html:FORMAT",
        "json": "exposure_audit.report.formats.json:FORMAT",
        "markdown": "exposure_audit.report.formats.markdown:FORMAT",
        "terminal": "exposure_audit.report.formats.terminal:FORMAT",
    }
)
