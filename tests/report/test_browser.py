"""The HTML report in a real browser: nothing foreign runs, the filter works.

Needs a Chromium; where there is none these tests are skipped by name, and in CI they fail.
"""

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from servers import unavailable

from exposure_audit.model.report import Report
from exposure_audit.report.catalog import FORMATS
from exposure_audit.report.view import build

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(autouse=True)
def _browser() -> None:
    if CHROMIUM is None:
        unavailable("chromium is not installed")


FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --proxy-server=127.0.0.1:9 --virtual-time-budget=2000 --dump-dom"
)


def dom(page: str, tmp_path: Path, *, fragment: str = "") -> str:
    """Open a page and return its document after scripts ran."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS.split(),
        f"--user-data-dir={tmp_path / 'profile'}",
        f"{path.as_uri()}{fragment}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def html(report: Report) -> str:
    out = io.BytesIO()
    FORMATS["html"].render(build(report), out)
    return out.getvalue().decode("utf-8")


def title(document: str) -> str:
    found = re.search("<title>(.*?)</title>", document, re.DOTALL)
    assert found
    return found[1]


def test_nothing_foreign_runs(hostile: Report, tmp_path: Path) -> None:
    control = "<title>calm</title><script>document.title='pwned'</script>"
    assert title(dom(control, tmp_path)) == "pwned", "the browser runs no scripts: this test could not fail"
    document = dom(html(hostile), tmp_path)
    assert title(document) == "FAILED: exposure audit 20260302T091200Z-7fa3c1"
    assert document.count("<script>") == 1
    # Our own script did run.
    assert "8 of 8 shown" in document


def test_what_slips_through_the_escaping_still_cannot_run(scenario: Report, tmp_path: Path) -> None:
    attack = (
        "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
        "<style>body{display:none}</style>"
        "<iframe srcdoc='<script>parent.document.title=\"pwned\"</script>'></iframe>"
    )
    page = html(scenario).replace("<main>", f"<main>{attack}")
    assert attack in page
    assert title(dom(page, tmp_path)) == "FAILED: exposure audit 20260302T091200Z-7fa3c1"


def test_a_link_to_a_finding_opens_it(scenario: Report, tmp_path: Path) -> None:
    fingerprint = scenario.findings[2].fingerprint
    document = dom(html(scenario), tmp_path, fragment=f"#f-{fingerprint}")
    opened = re.findall(r'<details class="finding[^"]*" id="([^"]+)"[^>]* open=""', document)
    assert opened == [f"f-{fingerprint}"]


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("text.value = '  OpenSearch ON '; text.dispatchEvent(new Event('input'));", "1 of 8 shown"),
        ("document.querySelector('[value=critical]').click();", "5 of 8 shown"),
        ("text.value = 'no such thing'; text.dispatchEvent(new Event('input'));", "0 of 8 shown"),
        ("document.getElementById('open-all').click();", "8 of 8 shown"),
    ],
)
def test_the_filter_filters(scenario: Report, tmp_path: Path, action: str, shown: str) -> None:
    # The policy of the page would stop the hand of the test as well.
    page = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", html(scenario))
    script = f"<script>const text = document.getElementById('text'); {action}</script>"
    document = dom(page.replace("</body>", f"{script}</body>"), tmp_path)
    assert f'aria-live="polite">{shown}<' in document
    hidden = re.findall(r'<details class="finding[^>]* hidden=""', document)
    assert len(hidden) == 8 - int(shown[0])
    opened = re.findall(r'<details class="finding[^>]* open=""', document)
    assert len(opened) == (8 if "open-all" in action else 0)
