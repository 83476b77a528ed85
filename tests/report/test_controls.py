from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.emulator.world import World
from analytics.report.site import build_site
from analytics.report.writing.numbers import cents_together, usd, usd_in_cents
from analytics.warehouse.database import open_marts
from tests.batches import run_batch, short_lists
from tests.conftest import Batch, StartRun
from tests.report import marts
from tests.report.conftest import BuildSite, about
from tests.report.pages import Page, Site

DAY = date(2026, 3, 10)
AMOUNTS = 9  # metered, its six parts, billed, not billed


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """Marts with gaps, open days and differences."""
    return marts.made_up(controls=True)


@pytest.fixture(scope="module")
def site(con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of those marts."""
    target = tmp_path_factory.mktemp("controlled")
    return Site(target, build_site(con, target, about=about()))


def _cents(printed: str) -> Decimal:
    match = re.match("(\u2212?)\\$([\\d,]+\\.\\d\\d)", printed)
    amount = Decimal(match[2].replace(",", "")) if match else Decimal(0)
    return -amount if match and match[1] else amount


def _page(site: Site, name: str, workspace: int = 0) -> Page:
    return [page for page in site.controls if page.path.stem == name][workspace]


def _days(page: Page) -> list[list[str]]:
    keys = [each.attributes["id"] for each in page.root.all("table")]
    months = [page.table(key)[1:] for key in keys if key.startswith("days-")]
    return [row for month in months for row in month if re.match("20", row[0])]


def _sorted_by(page: Page, table: str) -> list[list[str]]:
    """The exact values behind a table, of cells that have one."""
    (found,) = page.root.all("table", id=table)
    return [
        [each.attributes["data-v"] for each in row.children if "data-v" in each.attributes]
        for row in found.all("tr")[1:]
    ]


def test_cents_rounded_together_add_up() -> None:
    """Parts of any sign add up to their rounded sum, each is less than a cent off, zero stays."""
    parts = [
        Decimal(each) for each in ("0.004", "0.004", "0.004", "-0.0031", "0", "12.345", "1e-10")
    ]
    cents = cents_together(parts)

    assert sum(cents) == Decimal("12.35")
    assert all(abs(each - part) < Decimal("0.01") for each, part in zip(cents, parts, strict=True))
    assert cents[4] == 0
    assert usd_in_cents(Decimal(0), Decimal("0.007")) == "<$0.01"
    assert usd_in_cents(Decimal(0), Decimal("-0.002")) == "\u2212<$0.01"
    assert cents_together([]) == []


def test_every_day_is_that_of_the_marts(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Each day of the reconciliation stands on the page, exact behind what is printed."""
    rows = con.execute("""
        select date::varchar, metered_cost_usd, run_cost_usd, open_cost_usd, platform_cost_usd,
            gap_cost_usd, edge_usd, unexplained_usd
        from audit.reconciliation_days where workspace_id = 'ws-1' order by date desc""").fetchall()
    page = _page(site, "reconciliation", 1)
    shown = {
        row.children[0].text: [Decimal(each.attributes["data-v"]) for each in row.children[1:8]]
        for row in page.root.all("tr")
        if row.children[0].text in {day for day, *_ in rows} and len(row.children) > AMOUNTS
    }

    assert shown == {day: amounts for day, *amounts in rows}
    assert [row[0] for row in _days(page)] == [day for day, *_ in rows]


def test_amounts_of_a_day_add_up_as_printed(site: Site) -> None:
    """Across a row the parts make up what was metered; down a month its lines make up the total."""
    for page in (_page(site, "reconciliation", number) for number in (0, 1)):
        for row in (*_days(page), *page.table("by-month")[1:]):
            if row[0] != "Rounding":
                assert _cents(row[1]) == sum(map(_cents, row[2:8])), row
        for key in (each.attributes["id"] for each in page.root.all("table")):
            if key.startswith("days-") or key == "by-month":
                _, *lines, total = page.table(key)
                for index in range(1, AMOUNTS + 1):
                    assert _cents(total[index]) == sum(_cents(line[index]) for line in lines)


def test_what_is_not_explained_is_said_first(site: Site) -> None:
    """The title says what is not explained of how many days, and the page whose it is."""
    page = _page(site, "reconciliation", 1)

    assert page.root.all("h1")[0].text == "$1.23 of 1 day is not explained"
    assert [row[:2] + row[6:] for row in page.table("origins")[1:]] == [
        ["2026-03-09", "Release notes 2", "$1.23", "◔ pending"],
        ["2026-02-03", "Platform, and usage without an agent", "$1.23", "✕ unreconciled"],
    ]
    assert [row[2] for row in page.table("hours")[1:]] == ["$0.41"] * 3
    explained = _page(site, "reconciliation", 0).root
    assert "is explained to the last cent" in explained.all("h1")[0].text
    assert not explained.all("table", id="origins")


def test_controls_say_ok_in_words(site: Site) -> None:
    """Each control has its numbers and its state in words, never by colour alone."""
    held, broken = (_page(site, "reconciliation", number).table("controls") for number in (0, 1))

    assert held[1] == ["Completeness", "ours, against theirs", "90", "10", "100", "0", "✓ holds"]
    assert [row[-1] for row in broken[1:]] == ["✕ does not hold"] * 4


def test_a_check_above_the_thresholds_is_said_to_be_published_anyway(build: BuildSite) -> None:
    """Where figures were published all the same, the page says so, with what was found."""
    con = marts.empty()
    marts.workspace(con)
    marts.insert(
        con, "check_results", check_name="metered", claim="It adds up.", violation_count=1,
        is_ok=False, control="accuracy", is_blocking=True, finding="ours_usd 21, theirs_usd 1",
    )  # fmt: skip
    page = _page(build(marts.derive(con)), "reconciliation")

    assert "Published although 1 check" in page.root.text
    assert page.table("broken")[1][1:] == ["ours_usd 21, theirs_usd 1", "Accuracy", "anyway"]


def test_bills_are_those_of_the_marts(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Cost, billed and not billed by provider add up to the bill, and by agent to two months."""
    page = _page(site, "reconciliation")
    bills = con.execute("""
        select sum(cost_usd), sum(billed_usd), sum(cost_usd) - sum(billed_usd)
        from marts.fct_billing_days where workspace_id = 'ws-0'""").fetchone()
    by_agent = con.execute("""
        select sum(cost_usd), sum(billed_usd), sum(not_billed_usd)
        from marts.fct_agent_billing_days where workspace_id = 'ws-0'
        and date_trunc('month', date) = '2026-03-01'""").fetchone()

    assert list(map(Decimal, _sorted_by(page, "bills-by-provider")[-1])) == list(bills or ())
    assert list(map(Decimal, _sorted_by(page, "bills-by-agent")[-1][:3])) == list(by_agent or ())
    assert page.table("provider-keys")[1] == ["openai", "2026-01-05 09:00 UTC", "in use"]


def test_totals_have_hidden_runs_as_a_line_of_their_own(
    site: Site, con: duckdb.DuckDBPyConnection
) -> None:
    """Listed and hidden runs make up all runs, the headline; with the platform, the total."""
    for page, whose in ((site.overview, "true"), (site.workspaces[0], "workspace_id = 'ws-0'")):
        rows = {row[0]: row[3] for row in page.table("complete")}
        sums = con.execute(f"""
            select sum(cost_usd), sum(gap_cost_usd), sum(platform_cost_usd)
            from marts.fct_workspace_days_complete
            where {whose} and date_trunc('month', date) = '2026-02-01'""").fetchone()

        assert sums
        listed, hidden, platform = sums
        assert [_cents(rows[each]) for each in ("Listed runs", "Hidden runs", "Platform")] == [
            _cents(usd(each)) for each in sums
        ]
        assert rows["All runs"] == page.kpis["Last full month"][0] == usd(listed + hidden)
        assert rows["All runs and platform"] == usd(listed + hidden + platform)
        assert "It alone does not tell that a provider key" in page.root.text


def test_quality_lists_what_the_data_lack(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Gaps, adjustments and loads on the page are those of the marts."""
    page = _page(site, "quality")
    (runs, cost), *_ = con.execute("""
        select sum(missing_run_count)::bigint, sum(missing_cost_usd) from marts.fct_listing_gaps
        where workspace_id = 'ws-0'""").fetchall()

    assert page.root.all("h1")[0].text == f"{runs} hidden runs, which cost {usd(cost)}"
    for table in ("gap-agents", "gap-days"):
        assert usd(cost) in page.table(table)[-1]
        assert str(runs) in page.table(table)[-1]
    assert page.table("adjustments")[1][2:6] == ["$1.10", "$1.35", "$0.25", "4 → 5"]
    assert len(page.table("loads")) == 1 + 5 + 1
    assert "their cost is unknown, not zero" in page.root.text
    assert page.table("all-checks")[1][1] == "✕ does not hold"


def test_a_long_list_is_cut_and_its_total_is_not(build: BuildSite) -> None:
    """Of more gaps than a page can hold the newest are listed, the others as one line."""
    con = marts.empty()
    marts.workspace(con)
    con.execute("""
        insert into marts.fct_listing_gaps
        select 'ws', 'a', date '2026-03-01' - n::integer, 3, 1, 2, 0.015, true
        from range(400) as t(n)""")
    rows = _page(build(marts.derive(con)), "quality").table("gap-days")

    assert rows[-1][4:6] == ["800", "$6.00"]
    assert next(row for row in rows if row[0] == "earlier")[4] == "400"
    assert sum(_cents(row[5]) for row in rows[1:-1]) == Decimal(6)


def test_before_anything_is_metered_the_pages_say_so(build: BuildSite) -> None:
    """A workspace that no batch has read has both pages, without a figure made up."""
    con = marts.empty()
    marts.workspace(con, last_batch_at=None)
    site = build(marts.derive(con))
    quality, reconciliation = site.controls

    assert reconciliation.root.all("h1")[0].text == "Nothing has been metered yet"
    assert [row[-1] for row in reconciliation.table("controls")[1:]] == ["◔ not judged yet"] * 4
    assert "No batch has ended yet" in quality.root.text
    assert not site.overview.root.all("table", id="complete")


HOSTILE = ["<script>alert(1)</script>", "=cmd()|'/c calc'!A1", "{{ 7 * 7 }}", "\u202eevil", "🍞"]


def _named(name: str) -> duckdb.DuckDBPyConnection:
    con = marts.empty()
    marts.workspace(con, name)
    marts.agent(con, name, agent_id=name)
    ours = {"workspace_id": "ws", "agent_id": name, "date": DAY}
    usd_ = dict.fromkeys(
        ("metered_cost_usd", "run_cost_usd", "open_cost_usd", "platform_cost_usd",
         "gap_cost_usd", "edge_usd", "unexplained_usd"), 1,
    )  # fmt: skip
    marts.insert(
        con, "reconciliation_days", workspace_id="ws", date=DAY, status="unreconciled", **usd_
    )
    del usd_["metered_cost_usd"], usd_["edge_usd"]
    marts.insert(con, "reconciliation_agents", cost_usd=1, **ours, **usd_)
    marts.insert(con, "fct_agent_billing_days", cost_usd=1, billed_usd=1, not_billed_usd=0, **ours)
    marts.insert(con, "fct_billing_days", workspace_id="ws", date=DAY, provider=name)
    marts.insert(con, "dim_provider_keys", workspace_id="ws", provider=name, is_listed=True)
    marts.insert(
        con, "fct_listing_gaps", counted_run_count=10**15, held_run_count=0,
        missing_run_count=10**15, **ours,
    )  # fmt: skip
    marts.insert(con, "fct_listing_gap_models", model=name, provider=name, **ours)
    marts.insert(
        con, "fct_adjustments", previous_cost_usd=1, current_cost_usd=2, previous_run_count=1,
        current_run_count=1,         load_id=name, **ours,
    )  # fmt: skip
    marts.insert(con, "quarantined_records", workspace_id="ws", source=name, reason=name)
    marts.insert(con, "loads", workspace_id="ws", load_id=name, step=name)
    marts.run(con, DAY, agent_id=name, run_id=name, status=name, cost_usd=None)
    marts.insert(
        con, "check_results", check_name=name, claim=name, violation_count=1, is_ok=False,
        control="accuracy",
        finding=name,
    )  # fmt: skip
    return marts.derive(con)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_makes_no_element(name: str, build: BuildSite) -> None:
    """Whatever an agent, a provider, a load or a finding is called, the pages are built alike."""
    hostile = build(_named(name), "hostile").controls
    harmless = build(_named("Baker"), "harmless").controls

    for page, twin in zip(hostile, harmless, strict=True):
        assert [each.tag for each in page.root.everything()] == [
            each.tag for each in twin.root.everything()
        ]
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page.source)


@pytest.fixture
def batches(batch: Batch, world: World, start_run: StartRun) -> Iterator[duckdb.DuckDBPyConnection]:
    """Three batches of the emulator, between which an agent outran its list."""
    batch.set_extract(history_days=10, details_per_batch=0)
    with short_lists():
        start_run(hours_ago=40, cost="0.3333333333")
        run_batch(batch)
        for number in range(9):
            start_run(hours_ago=-6 - number / 100, cost="0.1111111111")
        world.pass_time(timedelta(days=1))
        run_batch(batch)
        world.pass_time(timedelta(days=4))
        run_batch(batch)
    with open_marts(batch.layout.marts) as con:
        yield con


def test_pages_of_real_batches_are_what_sql_says(
    batches: duckdb.DuckDBPyConnection, build: BuildSite
) -> None:
    """What the emulator's batches left is on both pages as SQL says it, gaps included."""
    (as_of,) = batches.execute("select max(last_batch_at) from marts.dim_workspaces").fetchone()  # type: ignore[misc]
    site = build(batches, as_of=as_of.astimezone(UTC))
    quality, reconciliation = site.controls
    metered, unexplained, gap = batches.execute(
        "select sum(metered_cost_usd), sum(unexplained_usd), sum(gap_cost_usd)"
        " from audit.reconciliation_days"
    ).fetchone()  # type: ignore[misc]
    missing, missing_usd = batches.execute(
        "select sum(missing_run_count)::bigint, sum(missing_cost_usd) from marts.fct_listing_gaps"
    ).fetchone()  # type: ignore[misc]

    assert missing > 0
    assert unexplained == 0
    title = reconciliation.root.all("h1")[0].text
    assert title == f"Metered {usd(metered)} is explained to the last cent"
    foot = _sorted_by(reconciliation, "waterfall")[-1]
    assert Decimal(foot[0]) == metered
    assert Decimal(_sorted_by(reconciliation, "by-month")[-1][4]) == gap == missing_usd
    assert quality.table("gap-agents")[-1][2:4] == [str(missing), usd(missing_usd)]
    assert {row[-1] for row in reconciliation.table("controls")[1:]} == {"✓ holds"}
    (checks,) = batches.execute("select count(*) from audit.check_results").fetchone()  # type: ignore[misc]
    assert len(quality.table("all-checks")) == 1 + checks


def test_the_site_folder_holds_both_pages(site: Site) -> None:
    """Each workspace has its two pages in a folder of its own, linked from its page."""
    for page in site.workspaces:
        links = {each.attributes["href"] for each in page.root.all("a")}
        for name in ("reconciliation", "quality"):
            assert f"{page.path.stem}/{name}.html" in links
            assert Path(page.path.parent / page.path.stem / f"{name}.html").is_file()
