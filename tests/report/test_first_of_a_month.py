"""The morning of the first of a month, when its newest month is hours old."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

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
