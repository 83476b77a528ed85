from __future__ import annotations

import json
import re
import shutil
import subprocess
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

from tests.report.pages import Page, Site

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")


def _opened(page: Page, profile: Path) -> tuple[str, str]:
    """The page as the browser has it after its scripts ran, and what it said on its console."""
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        "--v=0",
        f"--user-data-dir={profile}",
        "--virtual-time-budget=8000",
        "--window-size=1280,9000",
        "--dump-dom",
        page.path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.parametrize("kind", ["overview", "workspace", "agent"])
def test_a_browser_draws_every_chart_without_complaint(
    kind: str, site: Site, tmp_path: Path
) -> None:
    """Each kind of page opens from disk with all charts drawn, under its policy, without error."""
    page = {
        "overview": site.overview,
        "workspace": site.workspaces[0],
        "agent": site.agents[0],
    }[kind]
    document, console = _opened(page, tmp_path)
    plots = re.findall(r'<div class="plot[^"]* js-plotly-plot"', document)

    assert console == ""
    assert len(plots) == len(page.figures) > 0
    assert "could not be drawn" not in document
    assert "modebar-btn" not in document


_READER = """
const read = () => {
  if (!document.querySelector(".plot .point path")) return setTimeout(read, 50);
  const table = document.getElementById("all-agents");
  const column = (index) => [...table.tBodies[0].rows].map((row) => row.cells[index].dataset.v);
  const [byName, byCost, byChange] = table.tHead.querySelectorAll("button");
  const colour = () => document.querySelector(".plot .point path").style.fill;
  const before = colour();
  byChange.click();
  const changes = column(2);
  byCost.click();
  byCost.click();
  const costs = column(1);
  document.getElementById("theme").click();
  document.body.dataset.seen = JSON.stringify({
    changes, costs, sorted: byCost.parentNode.ariaSort, unsorted: byChange.parentNode.ariaSort,
    said: document.getElementById("announcement").textContent,
    theme: document.documentElement.dataset.theme, colours: [before, colour()],
    total: table.tFoot.rows[table.tFoot.rows.length - 1].cells[0].textContent,
  });
};
read();
"""


def test_a_reader_sorts_tables_and_changes_colours(site: Site, tmp_path: Path) -> None:
    """A click on a head sorts by exact values, the missing last, and the other theme recolours."""
    folder = tmp_path / "site"
    shutil.copytree(site.folder, folder)
    (folder / "assets" / "reader.js").write_text(_READER)
    path = folder / site.workspaces[0].path.relative_to(site.folder)
    script = '<script defer src="../assets/reader.js"></script></head>'
    path.write_text(path.read_text("utf-8").replace("</head>", script), "utf-8")
    document, console = _opened(Page(path), tmp_path)
    (attribute,) = re.findall(r'data-seen="([^"]*)"', document)
    seen = json.loads(unescape(attribute))
    changes = [Decimal(change) for change in seen["changes"] if change]

    assert console == ""
    assert changes == sorted(changes, reverse=True)
    assert "" not in seen["changes"][: len(changes)]
    assert seen["costs"] == sorted(seen["costs"], key=Decimal)
    assert (seen["sorted"], seen["unsorted"]) == ("ascending", None)
    assert seen["said"] == "Sorted by Recent cost, ascending"
    assert (seen["theme"], seen["total"]) == ("dark", "Total")
    assert seen["colours"] == ["rgb(29, 79, 215)", "rgb(111, 150, 255)"]
