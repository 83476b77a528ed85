"""Pages of one's own in a browser: marks, what a choice leaves, and values that are inert."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Page

from analytics.format.names import file_name
from tests.project.own import make_pages
from tests.report.browser import PHONE, Reader

PAGES = {
    "costs": """
-- Cost by month
-- page: Support / Costs
-- chart: bar, x month, y cost_usd, by agent_id
-- line: 2026-10-15 new <b>model</b>
select workspace_id, agent_id, month, cost_usd from fct_agent_months;
-- Days
select date, workspace_id, agent_id, agent_name, cost_usd
from fct_agent_days
order by cost_usd desc, date, agent_id;
-- Agents alone
-- chart: bar, x agent_name, y run_count
select agent_name, agent_id, sum(run_count) as run_count
from fct_agent_days
group by all
order by agent_id;
-- All of it
select sum(cost_usd) from fct_agent_days;
-- Names
select distinct agent_name as unfollowed from fct_agent_days order by 1;
""",
    "marks": """
-- Columns
-- chart: column, x date, y run_count, by workspace_id
select date, workspace_id, run_count from fct_agent_days;
-- Lines
-- chart: line, x date, y cost_usd/run_count
select date, agent_id, cost_usd, run_count from fct_agent_days;
-- Shares
-- chart: interval, x agent_name, y failed_count/run_count
select agent_name, failed_count, run_count + 3 as run_count from fct_agent_days;
-- Two
-- chart: bar, x agent_name, y cost_usd, y other_usd
select agent_name, cost_usd, -cost_usd as other_usd from fct_agent_months;
-- Upright
-- chart: bar, x agent_name, y cost_usd, by month
select agent_name, cost_usd, month from fct_agent_months;
""",
    "hostile": """
-- <script>alert(1)</script> & {cost_usd|usd}
-- page: </script><b>Group</b> / =cmd()|' /C calc'!A0
-- chart: bar, x name, y n
select 1;
-- Values
select '</script><script>alert(1)</script>' as t, '=cmd()' as f, '-1+2' as g, 'a\u202eb' as rtl,
    '{cost_usd|usd}' as template, '%{y}<b>' as plotly, 1 as "</th><b>x", 2 as a, 3 as a,
    date 'infinity' as date, interval 3 days as i, {'k': [1]} as s,
    12345678901234567890::hugeint as h,
    0.12345678901234567890::decimal(38, 20) as d, 'nan'::double as nan, null as nothing,
    '__proto__' as "__proto__", timestamptz 'infinity' as ts,
    1234567890.1234567891::decimal(38, 10) as big_usd, 1e300::double as huge_usd;
-- Huge
select 1e300::double as cost_usd;
-- Chart
-- chart: bar, x t, y n, by s
select *
from (values ('<img src=x onerror=alert(1)>', 1, '__proto__'), ('</script>', 2, 'constructor'))
    as v (t, n, s);
""",
}


@pytest.fixture(scope="module")
def site(marts: Path) -> Path:
    target = marts.with_name("site")
    make_pages(marts, target, PAGES)
    return target


def asked(marts: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(marts, read_only=True) as con:
        return con.execute(f"use marts; {sql}").fetchall()


def table(page: Page, key: str) -> list[list[str]]:
    """The cells of a table's body, each by its exact value where it has one."""
    return page.evaluate(
        """(id) => [...document.getElementById(id).tBodies[0].rows].map((row) =>
            [...row.cells].map((cell) => cell.dataset.v ?? cell.textContent))""",
        f"{key}-table",
    )


def traces(page: Page, key: str) -> list[dict[str, Any]]:
    """Return what a chart draws, without the entries of its legend."""
    return page.evaluate(
        """(key) => document.querySelector(`[data-part="${key}"]`).data
            .filter(({ x }) => x.some((each) => each !== null))
            .map(({ name, x, y, type, customdata }) => ({ name, x, y, type, customdata }))""",
        key,
    )


def downloaded(page: Page, key: str, target: Path) -> list[list[str]]:
    with page.expect_download() as download:
        page.locator(f"#{key} .csv").click()
    download.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_rows_follow_period_and_agents(
    site: Path, marts: Path, reader: Reader, tmp_path: Path
) -> None:
    """Without a choice all rows are there in their order, exact, and the chart has their sums.

    The table shows the first of them, and its file has all. Rows of a chosen day and agent are
    those of SQL; what cannot follow says so.
    """
    agent = file_name("w1", "a1").removesuffix(".html")
    for hash_, days, months in (
        ("", "true", "true"),
        (
            f"#from=2026-10-30&to=2026-11-02&only={agent}",
            "agent_id = 'a1' and date between '2026-10-30' and '2026-11-02'",
            "agent_id = 'a1' and month >= '2026-10-01'",
        ),
    ):
        page = reader.open(site / "own" / "costs.html", hash_)
        reader.draw_all()
        rows = asked(
            marts,
            "select date::varchar, 'Workspace ' || workspace_id[2:], agent_name, cost_usd::varchar"
            f" from fct_agent_days where {days} order by cost_usd desc, date, agent_id",
        )
        assert table(page, "part-2") == [list(row) for row in rows][:20]
        file = downloaded(page, "part-2", tmp_path / "days.csv")
        assert [each[3] for each in file[1:]] == [row[3] for row in rows]
        sums = asked(marts, f"select cost_usd from fct_agent_months where {months}")
        shown = traces(page, "part-1")
        assert sorted(y for each in shown for y in each["y"]) == sorted(float(s) for (s,) in sums)
        ends = {"2026-10-16", "2026-11-16"} | ({"2026-09-16"} if days == "true" else set())
        assert {x for each in shown for x in each["x"]} == ends

    ((total,), (runs,)) = asked(
        marts,
        "select sum(cost_usd) from fct_agent_days union all"
        " select sum(run_count) from fct_agent_days where agent_id = 'a1'",
    )
    assert page.locator(".headline .value").inner_text() == f"${total:,.2f}"
    assert [each["x"] for each in traces(page, "part-3")] == [[int(runs)]]
    still = "It does not follow the chosen period."
    for part, said in (
        (1, "1 October\u201330 November 2026. Months are whole."),
        (3, still),
        (5, f"{still} It does not follow the agents chosen."),
    ):
        assert page.locator(f"#part-{part}-what").inner_text().endswith(said)


def test_every_mark_is_drawn(site: Path, marts: Path, reader: Reader) -> None:
    """Each mark shows the sums of SQL, on a phone without scrolling sideways."""
    reader.page.set_viewport_size(PHONE)
    page = reader.open(site / "own" / "marks.html")
    reader.draw_all()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    columns, lines, shares, two, upright = (traces(page, f"part-{n}") for n in range(1, 6))
    assert [each["name"] for each in columns] == ["Workspace 1", "Workspace 2"]
    of_workspaces = "select sum(run_count) from fct_agent_days group by workspace_id"
    assert {sum(each["y"]) for each in columns} == {int(n) for (n,) in asked(marts, of_workspaces)}
    ratios = asked(
        marts,
        "select sum(cost_usd) / sum(run_count) from fct_agent_days group by date order by date",
    )
    assert lines[0]["y"] == pytest.approx([float(ratio) for (ratio,) in ratios], abs=1e-9)
    assert [each["name"] for each in two] == ["Cost", "Other"]
    months = {f"2026-{month}-01" for month in ("09", "10", "11")}
    assert (len(shares) > 0, {each["name"] for each in upright[:3]}) == (True, months)


def test_values_names_and_titles_are_inert(site: Path, reader: Reader, tmp_path: Path) -> None:
    """Nothing that a file or a row says becomes HTML, a template, a formula or a script.

    Axe finds no fault, in dark colours on a phone.
    """
    reader.page.set_viewport_size(PHONE)
    reader.page.emulate_media(color_scheme="dark")
    page = reader.open(site / "own" / "hostile.html")
    reader.draw_all()

    assert page.locator("h1").inner_text() == "=cmd()|' /C calc'!A0"
    assert page.locator(".notice").inner_text().startswith("reports/pages/hostile.sql:")
    assert page.evaluate("document.querySelectorAll('main script, main img, main b').length") == 0
    heads = page.locator("#part-2-table thead th").all_text_contents()
    cells = page.locator("#part-2-table tbody tr > *").all_text_contents()
    shown = {name.split("\u00a0")[0]: text for name, text in zip(heads, cells, strict=True)}
    assert shown.items() >= {
        "T": "</script><script>alert(1)</script>", "Rtl": "a\u27e8U+202E\u27e9b",
        "Template": "{cost_usd|usd}", "H": "12,345,678,901,234,567,890",
        "D": "0.123456789", "Day": "\u2013", "I": "3 days", "Nan": "\u2013",
    }.items()  # fmt: skip
    rows = downloaded(page, "part-2", tmp_path / "values.csv")
    exact = dict(zip([name.split("\u00a0")[0] for name in rows[0]], rows[1], strict=True))
    assert [exact[each] for each in ("F", "G", "Big")] == [
        "'=cmd()", "'-1+2", "1234567890.1234567891",
    ]  # fmt: skip
    assert page.locator(".headline .value").inner_text() == "\u2013"
    assert [each["name"] for each in traces(page, "part-4")][:2] == ["constructor", "__proto__"]
    assert reader.complaints == []
    assert reader.faults() == []
    reader.complaints.clear()  # axe asks for style sheets, which the policy forbids
