"""The morning of the first of a month, when its newest month is hours old."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.format import numbers
from analytics.settings import load_settings
from tests.batches import few_details
from tests.conftest import optimized, shared_folder
from tests.report.browser import Reader
from tests.report.published import Asked

NOW = datetime(2026, 12, 1, 8, 20, tzinfo=UTC)
DAYS = 57  # 28, the 28 before, and one that is read only in part
_FIGURES = """
    select sum(cost_usd) as cost, sum(run_count)::bigint as runs,
        sum(failed_count)::bigint as failed, sum(succeeded_count + failed_count)::bigint as finished
    from published.marts.fct_agent_days where date """
_COLUMNS = """({ data }) => data.filter(({ type, x }) => type === "bar" && x.length > 1)
    .flatMap(({ x, y }) => x.map((day, at) => [day, y[at] ?? 0]))"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of one batch of the demo's world."""

    def publish(folder: Path) -> None:
        world = World.demo(1, NOW, history_days=DAYS)
        with (
            optimized(),
            few_details(60),
            running(world) as api,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.chdir(folder)
            text = f"[extract]\nhistory_days = {DAYS}\n"
            for number, workspace in enumerate(world.workspaces):
                patch.setenv(f"KEY_{number}", workspace.api_key)
                text += f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{api.url}"\n'
            Path("analytics.toml").write_text(text, encoding="utf-8")
            nightly(load_settings(), Progress())

    def apart(folder: Path) -> None:  # a browser that is open keeps a loop running here
        with ThreadPoolExecutor(1) as other:
            other.submit(publish, folder).result()

    return shared_folder(tmp_path_factory, "first-of-a-month", apart) / "data"


def test_the_overview_has_the_last_28_days(data: Path, reader: Reader) -> None:
    """Cards, chart and agents are of 28 whole days beside 28; today is drawn, and in no sum."""
    sql = Asked(data / "analytics.duckdb")
    now, then, today = (
        sql.rows(_FIGURES + days)[0]
        for days in (
            "between '2026-11-03' and '2026-11-30'", "between '2026-10-06' and '2026-11-02'",
            "= '2026-12-01'",
        )
    )  # fmt: skip
    shown = reader.open(data / "site" / "index.html")
    reader.draw_all()
    columns = shown.locator("#cost .plot").evaluate(_COLUMNS)

    def texts(key: str) -> list[str]:
        return shown.locator(f"#card-{key} :is(dt, .value, .more)").all_inner_texts()

    expect(shown.locator("#span")).to_have_text("3\u201330 Nov 2026 beside 6 Oct\u20132 Nov 2026")
    assert shown.locator(".as-of").inner_text().startswith("Yesterday, Monday 30 Nov: $")
    assert texts("month") == ["December to date", numbers.usd_headline(today["cost"]), ""]
    assert texts("cost") == [
        "28 days", numbers.usd_headline(now["cost"]), numbers.change(now["cost"], then["cost"])
    ]  # fmt: skip
    assert texts("rate")[1:] == [
        numbers.percent(now["failed"], now["finished"]),
        f"{now['failed']:,} of {now['finished']:,}",
    ]
    assert len({day for day, _ in columns}) == 29
    for days, sums in (((11,), now), ((12,), today)):
        drawn = sum(usd for day, usd in columns if int(day[5:7]) in days)
        assert drawn == pytest.approx(float(sums["cost"]))
    total = shown.locator("#agents-table tfoot tr > *").all_inner_texts()
    assert total[:4] == [
        "Total", numbers.usd(now["cost"]), numbers.usd_signed(now["cost"] - then["cost"]),
        numbers.count(now["runs"]),
    ]  # fmt: skip


def test_each_arrow_leads_to_the_figures_of_its_finding(data: Path, reader: Reader) -> None:
    """The arrow of a line opens the part and the days of which SQL has the figures that it tells:
    limits among errors, versions over all their runs, a price by workspace, the runs of lists, and
    the failures of a day.
    """
    sql = Asked(data / "analytics.duckdb")

    def follow(beginning: str, address: str) -> tuple[Page, str]:
        """The page that the line's arrow opens, at its part, and the line."""
        page = reader.open(data / "site" / "index.html")
        folds = "document.querySelectorAll('.needs-end > details')"
        page.evaluate(f"{folds}.forEach((each) => {{ each.open = true; }})")
        line = page.locator(".needs li", has_text=beginning)
        text = line.locator(".line").inner_text()
        line.locator("a").click()
        page.wait_for_url(f"**{address}")
        reader.wait_until_ready()
        part = page.locator(f"#{re.split('[#=]', address)[-1]}")
        assert part.evaluate("(part) => part.getBoundingClientRect().top < innerHeight")
        return page, text

    def shown(page: Page, table: str, *places: int) -> list[list[str]]:
        rows = page.locator(f"#{table}-table tbody tr").all()
        cells = [each.locator("th, td").all_text_contents() for each in rows]
        return [[row[place] for place in places] for row in cells]

    page, line = follow("Supplier negotiator", "#from=2026-11-03&to=2026-11-30&at=errors")
    errors = sql.rows(
        """select replace(error_class, '_', ' ') as error, count(*) as n, sum(cost_usd) as usd
        from published.marts.fct_runs where agent_name = 'Supplier negotiator'
        and status = 'failed' and date between '2026-11-03' and '2026-11-30'
        group by all order by usd desc"""
    )
    limits = [each for each in errors if each["error"] in {"budget limit", "step limit"}]
    assert shown(page, "errors", 0, 1, 2) == [
        [each["error"], str(each["n"]), numbers.usd(each["usd"])] for each in errors
    ]
    assert f"in {sum(each['n'] for each in limits)} of " in line
    assert numbers.usd(sum(each["usd"] for each in limits)) in line

    page, line = follow("Pull request reviewer", "#from=2026-11-23&to=2026-12-01&at=versions")
    versions = sql.rows(
        """select agent_version as version, sum(cost_usd) as usd,
            count(*) filter (status = 'failed') as failed,
            count(*) filter (status = 'succeeded') as succeeded,
            coalesce(sum(cost_usd) filter (status = 'failed'), 0) as failed_usd
        from published.marts.fct_runs where agent_name = 'Pull request reviewer'
        group by all order by all desc"""
    )
    known = [
        [f"v{each['version']}", numbers.usd_fine(each["usd"] / each["succeeded"]),
         numbers.failure_rate_short(each["failed"], each["failed"] + each["succeeded"]),
         numbers.usd(each["failed_usd"])] for each in versions
    ]  # fmt: skip
    assert shown(page, "versions", 0, 2, 3, 4) == known
    counts = re.findall(r"\d+ of \d+", line)
    outside = shown(page, "versions", 1)[: len(counts)]
    assert all(count in cell for count, [cell] in zip(counts, outside, strict=True))
    page.select_option("#period", "7")
    page.wait_for_url("**#period=7*")
    assert shown(page, "versions", 0, 2, 3, 4) == known

    page, line = follow("gpt-5.6-terra", "#from=2026-10-27&to=2026-11-23&by=model&at=price-steps")
    steps = sql.rows(
        """select subject, workspace_name, cost_usd, baseline::decimal(38, 10) as before,
            value::decimal(38, 10) as after
        from published.marts.fct_findings join published.marts.dim_workspaces using (workspace_id)
        where kind = 'price_step' order by cost_usd desc"""
    )
    assert len(steps) == 2
    assert shown(page, "price-steps", 0, 1, 2, 3, 4) == [
        [name, workspace, *map(numbers.usd, amounts)]
        for name, workspace, *amounts in (each.values() for each in steps)
    ]
    more = f"{numbers.usd(sum(each['cost_usd'] for each in steps))} more"
    assert more in line
    assert more in page.locator("#price-steps-title").inner_text()

    page, line = follow("Order status", "/trust.html#unlisted")
    lists = sql.rows(
        """select agent_name, sum(run_count) as n, sum(cost_usd) as usd,
            sum(unlisted_run_count) as unlisted, sum(unlisted_cost_usd) as unlisted_usd
        from published.marts.fct_agent_days where workspace_name = 'Hearth & Grain'
        group by all having unlisted > 0 order by unlisted desc"""
    )
    assert shown(page, "coverage", 0, 1, 2, 3, 4) == [
        [each["agent_name"], numbers.count(int(each["n"])), numbers.usd(each["usd"]),
         numbers.count(int(each["unlisted"])), numbers.usd(each["unlisted_usd"])] for each in lists
    ]  # fmt: skip
    assert f"{numbers.count(int(lists[0]['n']))} runs" in line

    page, _ = follow("anthropic", "#from=2026-11-11&to=2026-11-11&show=failures&at=cost")
    agents = sql.rows(
        """select agent_name, sum(cost_usd) as usd, sum(failed_count) as failed,
            sum(failed_count + succeeded_count) as finished
        from published.marts.fct_agent_days where workspace_name = 'Hearth & Grain'
        and date = '2026-11-11' group by all order by usd desc limit 10"""
    )
    pressed = page.locator('.switches [aria-pressed="true"]').all_text_contents()
    assert pressed == ["agent", "failures"]
    assert "anthropic failures" in page.locator("#cost .plot").inner_text()
    assert shown(page, "agents", 0, 1, 3) == [
        [each["agent_name"], numbers.usd(each["usd"]),
         numbers.failure_rate(int(each["failed"]), int(each["finished"]))] for each in agents
    ]  # fmt: skip
