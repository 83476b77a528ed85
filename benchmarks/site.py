"""The site at size: its build time, its size, and the time to open and to use its pages.

python -m benchmarks.site DATA_DIR TARGET [PUBLISHED] builds it once, in a process of its own; with
the published site, after the figures of one agent changed.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics.report.rendering import About
from analytics.report.site import build_site
from analytics.transform.page_queries import create_queries
from analytics.warehouse.database import marts_beside, open_warehouse
from analytics.warehouse.layout import Layout
from benchmarks.measure import run

ROUNDS = 3
_CHANGED_AGENT = """
    update rpt_days set cost_usd = cost_usd + 0.25, run_cost_usd = run_cost_usd + 0.25
    where date = (select max(date) from rpt_days)
        and agent_id = (select min(agent_id) from rpt_days where run_count > 0)"""
_FIRST_CHART = ".js-plotly-plot .main-svg"
_WHEN_DRAWN = """
const look = () => {
  const isThere = document.querySelector("svg.static");
  requestAnimationFrame(isThere ? () => { window.drawnAt = performance.now(); } : look);
};
look();
"""
_CHOSEN = """(period) => new Promise((resolve) => {
  const title = document.getElementById("cost-title"), start = performance.now();
  new MutationObserver(() => requestAnimationFrame(() => resolve(performance.now() - start)))
    .observe(title, { childList: true });
  location.hash = `#period=${period}`;
})"""


def measure(data: Path, build: Path, environment: dict[str, str]) -> None:
    """Build the site of a data directory anew and with one agent changed, and use its pages."""
    first, second = build / "site", build / "site-next"
    with duckdb.connect(data / "build.duckdb", read_only=True) as con:
        agents, days, runs = con.execute("""
            select count(distinct agent_id), count(distinct date), sum(run_count)
            from marts.fct_agent_days where run_count > 0""").fetchall()[0]
    print(f"\nThe site of {agents} agents x {days} days, {runs:,} runs, {ROUNDS} rounds")
    for target, published, what in (
        (first, [], "anew"),
        (second, [str(first)], "one agent changed"),
    ):
        command = [sys.executable, "-m", "benchmarks.site", str(data), str(target), *published]
        rounds = [run(command, environment) for _ in range(ROUNDS)]
        peak = max(each.peak_megabytes for each in rounds)
        told = json.loads((build / f"{target.name}.json").read_text("utf-8"))
        whole = sorted(each.seconds for each in rounds)[ROUNDS // 2]
        print(
            f"  {what}: {whole:.1f} s, of which {told['seconds']:.1f} s for the site; peak"
            f" {peak:.0f} MB; {told['pages']} pages, {told['kept']:,} of {told['files']:,} files as"
            f" published; {told['megabytes']:.1f} MB on disk"
        )
    print(f"  overview, beside the shared plotly.js: {_overview_bytes(first) / 1e3:.0f} KB")
    pages = {"overview": first / "index.html"} | {
        kind: next((first / f"{kind}s").glob("*.html")) for kind in ("workspace", "agent")
    }
    for name, path in pages.items():
        opened = sorted(_opened(path) for _ in range(ROUNDS))
        answers, chart, drawing, text = opened[ROUNDS // 2]
        print(
            f"  {name}: text after {text / 1000:.2f} s, first chart drawn after"
            f" {drawing / 1000:.2f} s, answers to the pointer after {chart / 1000:.2f} s; a chosen"
            f" month is shown after {answers:.0f} ms"
        )


def _overview_bytes(site: Path) -> int:
    """Return the size of what a reader of the overview loads."""
    loaded = [site / "index.html", site / "assets" / "engine.js", site / "assets" / "style.css"]
    loaded += [site / "data" / "site.js", site / "data" / "pages" / "overview.js"]
    loaded += sorted((site / "data" / "site").glob("2*.js"))[-4:]
    loaded += (site / "data" / "site").glob("overview.js")
    return sum(each.stat().st_size for each in loaded)


def _opened(path: Path) -> tuple[float, float, float, float]:
    """Return milliseconds to an answer, Plotly's first chart, the page's own chart, the text."""
    from tests.report.browser import browser

    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WHEN_DRAWN)
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector(_FIRST_CHART, state="attached")
        chart = page.evaluate("performance.now()")
        text = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        drawing = max(page.evaluate("drawnAt"), text)  # frames before the first are not shown
        page.wait_for_selector("html[data-ready]", state="attached")
        months = page.eval_on_selector_all(
            "#period option", "all => all.map(each => each.value).filter(each => each[0] === '2')"
        )
        page.evaluate(_CHOSEN, months[2])  # loads what the next choices show, too
        answer = page.evaluate(_CHOSEN, months[1])
    return answer, chart, drawing, text


def _build(data: Path, target: Path, published: Path | None) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    about = About(datetime.now(UTC), "bench", "UTC")
    layout = Layout(data)
    with open_warehouse(layout) as warehouse, marts_beside(warehouse, layout.marts) as con:
        started = time.perf_counter()
        create_queries(con)
        if published:
            con.execute(_CHANGED_AGENT)
        made = build_site(con, target, about=about, published=published)
    told = {
        "seconds": time.perf_counter() - started,
        "pages": made.page_count,
        "files": made.file_count,
        "kept": made.kept_count,
        "megabytes": sum(each.stat().st_size for each in target.rglob("*.*")) / 1e6,
    }
    target.with_name(f"{target.name}.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    _build(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
