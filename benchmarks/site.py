"""The site at size: its build time, its size, and the time to open its pages.

python -m benchmarks.site FOLDER [PUBLISHED] builds it once, in a process of its own.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from analytics.report.site import SCRIPTS, About, build_site
from benchmarks.measure import run
from tests.report import marts

AGENTS, DAYS, RUNS_A_DAY = 500, 400, 2
ROUNDS = 3
_CHANGED_AGENT = "update marts.fct_runs set cost_usd = 0.25 where agent_id = 'agent-0-7'"
_FIRST_CHART = ".js-plotly-plot .main-svg"
_WHEN_DRAWN = """
const look = () => {
  const isThere = document.querySelector("svg.static");
  requestAnimationFrame(isThere ? () => { window.drawnAt = performance.now(); } : look);
};
look();
"""


def measure(build: Path, environment: dict[str, str]) -> None:
    """Build the site anew, then with one agent changed, and open pages of it in Chromium."""
    first, second = build / "site", build / "site-next"
    print(f"\nThe site of {AGENTS} agents x {DAYS} days")
    for target, published, what in (
        (first, [], "anew"),
        (second, [str(first)], "one agent changed"),
    ):
        command = [sys.executable, "-m", "benchmarks.site", str(target), *published]
        whole = run(command, environment)
        told = json.loads((build / f"{target.name}.json").read_text("utf-8"))
        print(
            f"  {what}: {told['seconds']:.1f} s, peak {whole.peak_megabytes:.0f} MB with the marts;"
            f" {told['pages']} pages, {told['kept']} as published;"
            f" {told['runs']:,} runs; {told['megabytes']:.1f} MB on disk"
        )
    page = first / "index.html"
    beside = sum((first / each).stat().st_size for each in ("index.html", *_of_overview()))
    print(f"  overview, beside the shared plotly.js: {beside / 1e3:.0f} KB")
    workspace, agent = (next((first / each).iterdir()) for each in ("workspaces", "agents"))
    for name, path in (("overview", page), ("workspace", workspace), ("agent", agent)):
        opened = sorted(_opened(path) for _ in range(ROUNDS))
        chart, drawing, text = opened[ROUNDS // 2]
        print(
            f"  {name}: text after {text / 1000:.2f} s, first chart drawn after"
            f" {drawing / 1000:.2f} s, answers to the pointer after {chart / 1000:.2f} s"
        )


def _of_overview() -> list[str]:
    assets = ("style.css", *(f"{name}.js" for name in SCRIPTS))
    return [*(f"assets/{each}" for each in assets), "data/overview.js", "data/overview-charts.js"]


def _opened(path: Path) -> tuple[float, float, float]:
    """Return milliseconds to Plotly's first chart, to the page's own chart, to the first text."""
    from tests.report.browser import browser

    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WHEN_DRAWN)
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector(_FIRST_CHART, state="attached")
        chart = page.evaluate("performance.now()")
        text = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        drawing = max(page.evaluate("drawnAt"), text)  # frames before the first are not shown
    return chart, drawing, text


def _build(target: Path, published: Path | None) -> None:
    con = marts.made_up(workspaces=1, agents=AGENTS, days=DAYS, runs_a_day=RUNS_A_DAY)
    if published:
        con.execute(_CHANGED_AGENT)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    about = About(marts.AS_OF, "bench", "UTC", 42)
    started = time.perf_counter()
    summary = build_site(con, target, about=about, published=published)
    (runs,) = con.execute("select count(*) from marts.fct_runs").fetchone() or (0,)
    told = {
        "seconds": time.perf_counter() - started,
        "pages": summary.page_count,
        "kept": summary.kept_count,
        "megabytes": summary.byte_count / 1e6,
        "runs": runs,
    }
    target.with_name(f"{target.name}.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    _build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
