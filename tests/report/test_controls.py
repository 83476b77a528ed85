"""The pages Reconciliation and Data quality of made-up marts, and of batches of the emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from analytics.report.controls import bridge
from analytics.report.controls.amounts import cents_to
from analytics.report.controls.rows import CheckRow, Step
from analytics.report.controls.verdicts import checks_in_words

from analytics.emulator.world import World
from analytics.format.numbers import UNKNOWN, cents_together, usd, usd_in_cents
from analytics.report.site import build_site
from analytics.warehouse.database import open_marts
from tests.batches import run_batch, short_lists
from tests.conftest import Batch, StartRun
from tests.report import marts
from tests.report.conftest import BuildSite, about
from tests.report.pages import Page, Site

DAY = date(2026, 3, 10)
AMOUNTS = 8  # metered, its six parts, billed


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """Marts with unlisted runs, open days, and controls that failed."""
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


def _exact(page: Page, table: str) -> list[list[str]]:
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


@pytest.mark.parametrize("total", ["1.99", "2.00", "2.01"])
def test_cents_add_up_to_a_total_that_was_rounded_apart(total: str) -> None:
    """Wherever the total was rounded to, printed parts make it up, and a zero stays zero."""
    parts = [Decimal("1.004"), Decimal(0), Decimal("1.006"), Decimal("-0.005")]
    cents = cents_to(Decimal(total), parts)

    assert sum(cents) == Decimal(total)
    assert cents[1] == 0
    assert all(abs(each - part) <= Decimal("0.02") for each, part in zip(cents, parts, strict=True))


def test_every_day_is_that_of_the_marts(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Each day of the reconciliation is on the page, exact behind the printed amount."""
    rows = con.execute("""
        select utc_date::varchar, metered_cost_usd, run_cost_usd, open_cost_usd, platform_cost_usd,
            unlisted_cost_usd, timing_difference_usd, unexplained_usd, billed_usd
        from audit.reconciliation_days where workspace_id = 'ws-1'
        order by utc_date desc""").fetchall()
    page = _page(site, "reconciliation", 1)
    days = {day for day, *_ in rows}
    shown = {
        row.children[0].text: [Decimal(each.attributes["data-v"]) for each in row.children[1:9]]
        for table in page.root.all("table")
        if table.attributes["id"].startswith("days-")
        for row in table.all("tr")
        if row.children[0].text in days
    }

    assert shown == {day: amounts for day, *amounts in rows}
    assert [row[0] for row in _days(page)] == [day for day, *_ in rows]


def test_amounts_of_a_day_add_up_as_printed(site: Site) -> None:
    """Across a row the parts make up the metered cost; down a month its lines make the total."""
    for page in (_page(site, "reconciliation", number) for number in (0, 1)):
        for row in _days(page):
            assert _cents(row[1]) == sum(map(_cents, row[2:8])), row
        for key in (each.attributes["id"] for each in page.root.all("table")):
            if key.startswith("days-"):
                _, *lines, total = page.table(key)
                for index in range(1, AMOUNTS + 1):
                    assert _cents(total[index]) == sum(_cents(line[index]) for line in lines)


def test_the_bridge_is_that_of_the_marts(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Steps are rows and months are columns, exact, and as printed they add up as well."""
    for number in (0, 1):
        page = _page(site, "reconciliation", number)
        steps = con.execute(
            """
            select step, list(amount_usd order by month desc)[:6] from audit.month_bridge
            where workspace_id = ? group by step, step_number order by step_number""",
            [f"ws-{number}"],
        ).fetchall()

        shown = _exact(page, "bridge")
        assert [list(map(Decimal, row)) for row in shown] == [amounts for _, amounts in steps]
        printed = [list(map(_cents, row[1:])) for row in page.table("bridge")[1:]]
        for runs, timing, left, metered, to_bill, surcharge, own, billed in zip(
            *printed, strict=True
        ):
            assert runs + timing + left == metered
            assert metered + to_bill + surcharge + own == billed


def test_a_long_bridge_names_its_earlier_months() -> None:
    """Of many months the newest six are shown, and the others are named by their table."""
    names = ("cost of runs", "metered", "surcharge", "billed")
    steps = [
        Step(date(2026, month, 1), number, name, Decimal(1), "")
        for month in range(1, 10)
        for number, name in enumerate(names, start=1)
    ]
    table = bridge.table(steps, {date(2026, 9, 1)})

    assert table
    assert [head.replace("\u00a0", " ") for head in table.heads] == [
        "Step", "Sep 2026, provisional", "Aug 2026", "Jul 2026", "Jun 2026", "May 2026",
        "Apr 2026",
    ]  # fmt: skip
    assert bridge.earlier(steps) == "3 earlier months: audit.month_bridge."
    assert bridge.earlier(steps[:24]) == ""


def test_unexplained_cost_has_its_days_and_lines(site: Site) -> None:
    """The title has the unexplained amount of closed days, a table the day and the agent."""
    page = _page(site, "reconciliation", 1)

    assert "; $2.47 of " in page.root.all("h1")[0].text
    assert [row[:3] + row[-2:] for row in page.table("origins")[1:]] == [
        ["2026-03-09", "Release notes 2", "$5.00", "$1.23", "◔ pending"],
        ["2026-02-03", "Platform", "$5.00", "$1.23", "✕ unreconciled"],
    ]
    assert [row[2] for row in page.table("hours")[1:]] == ["$0.41"] * 3
    explained = _page(site, "reconciliation", 0).root
    assert "; $0.00 of " in explained.all("h1")[0].text
    assert not explained.all("table", id="origins")
    for root in (page.root, explained):
        assert "“Unexplained” is the residual" in root.text


def test_controls_have_two_sources_and_both_numbers(site: Site) -> None:
    """Each control has its sources, its count and its result in words, not by colour alone."""
    passed, failed = (_page(site, "reconciliation", number).table("controls") for number in (0, 1))

    assert passed[1] == [
        "Bill", "The hourly meter is the bill.", "analytics/hourly", "analytics/billing",
        "89 days", "$100.00", "$100.00", "✓ passed",
    ]  # fmt: skip
    assert passed[3][4:] == ["1,200 agent days", "4,321", "4,321", "✓ passed"]
    assert passed[2] == [
        "Run costs", "Run costs agree.", "runs", "analytics/runs/{id}/costs", *[UNKNOWN] * 3,
        "◔ nothing to compare yet",
    ]  # fmt: skip
    assert [row[-1] for row in failed[1:]] == [
        "✕ failed2 findings",
        "✕ failed23 findings",
        "✓ passed",
    ]


def test_findings_are_those_of_the_workspace(site: Site) -> None:
    """A failed control lists day, agent or provider, run and both numbers, and how many more."""
    rows = _page(site, "reconciliation", 1).table("findings")[1:]

    assert rows[0] == [
        "Bill", "2026-02-03", "", "openai", "cost", "$3.2500", "$2.0000", "$1.2500", "closed",
    ]  # fmt: skip
    assert rows[1][4:8] == ["tokens in", "1,200", "1,000", "200"]
    assert rows[2][2:4] == ["Release notes 2", "run-0"]
    assert rows[2][-1] == "open or provisional"
    assert len(rows) == 2 + 20
    text = _page(site, "reconciliation", 1).root.text
    assert "3 more findings of Run costs: audit.control_findings." in text
    assert not _page(site, "reconciliation", 0).root.all("table", id="findings")


def _check(control: str | None, sources: str | None, *, is_passed: bool = True) -> CheckRow:
    return CheckRow("name", "Claim.", control, sources, is_passed, False, None)


def test_checks_are_counted_by_their_sources() -> None:
    """Checks of our own sums, and controls with two sources or without, are never one number."""
    own, api = [_check(None, None)] * 3, [_check("bill", "a | b")] * 2

    assert checks_in_words([]) == "No checks were run"
    assert checks_in_words(own) == "3 checks of keys and sums of our own: all passed"
    assert checks_in_words(own + api) == (
        "3 checks of keys and sums of our own, 2 against the API, all 2 with two independent "
        "sources: all passed"
    )
    assert checks_in_words([*own, *api, _check("odd", "a", is_passed=False)]) == (
        "3 checks of keys and sums of our own, 3 against the API, 2 with two independent sources: "
        "1 failed"
    )


def test_both_pages_count_checks(site: Site) -> None:
    """The number of checks is never one of all kinds together."""
    words = (
        "2 checks of keys and sums of our own, 3 against the API, all 3 with two independent"
        " sources: 3 failed"
    )
    for page in site.controls:
        assert words in page.root.text
    rows = _page(site, "quality").table("all-checks")[1:]
    assert [row[1] for row in rows] == ["✕ failed"] * 3 + ["✓ passed"] * 2
    assert rows[0][2] == "analytics/hourly with analytics/billingcontrol: bill"


def test_a_control_that_was_overruled_is_named(build: BuildSite) -> None:
    """Where figures were published in spite of a control, both numbers are on the page."""
    con = marts.empty()
    marts.workspace(con)
    marts.insert(
        con, "check_results", check_name="metered", claim="It adds up.", violation_count=1,
        is_ok=False, control="bill", is_blocking=True, finding="ours 21, theirs 1",
        sources="a | b",
    )  # fmt: skip
    marts.insert(
        con, "control_findings", check_name="metered", control="bill", workspace_id="ws",
        finding_number=1, finding_count=1, utc_date=DAY, measure="cost_usd", ours=21, theirs=1,
        difference_usd=20, is_closed=True,
    )  # fmt: skip
    page = _page(build(marts.derive(con)), "reconciliation")

    assert "Published although 1 control against the API failed" in page.root.text
    assert page.table("findings")[1][5:8] == ["$21.0000", "$1.0000", "$20.0000"]


def test_bills_are_those_of_the_marts(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Cost, surcharge, own-key cost and bill by provider and by agent are the marts' own."""
    page = _page(site, "reconciliation")
    sums = "sum(cost_usd), sum(surcharge_usd), sum(own_key_usd), sum(billed_usd)"
    bills = con.execute(f"""
        select {sums} from marts.fct_billing_days where workspace_id = 'ws-0'""").fetchone()
    by_agent = con.execute(f"""
        select {sums} from marts.fct_agent_billing_days where workspace_id = 'ws-0'
        and date_trunc('month', utc_date) = '2026-03-01'""").fetchone()

    assert list(map(Decimal, _exact(page, "bills-by-provider")[-1])) == list(bills or ())
    assert list(map(Decimal, _exact(page, "bills-by-agent")[-1][:4])) == list(by_agent or ())
    assert page.table("provider-keys")[1] == ["openai", "2026-01-05 09:00 UTC", "in use"]


def test_quality_has_the_limits_of_the_data(site: Site, con: duckdb.DuckDBPyConnection) -> None:
    """Unlisted runs, detail coverage, adjustments and loads on the page are those of the marts."""
    page = _page(site, "quality")
    ((runs, failed, cost, listed, all_runs),) = con.execute("""
        select sum(unlisted_run_count)::bigint, sum(unlisted_failed_count)::bigint,
            sum(unlisted_cost_usd), sum(listed_run_count)::bigint, sum(run_count)::bigint
        from marts.fct_agent_days where workspace_id = 'ws-0'""").fetchall()

    coverage = f"{100 * listed / all_runs:.1f}%"
    title = page.root.all("h1")[0].text
    assert title == f"Run detail for {coverage} of runs; {runs} unlisted runs"
    assert page.kpis["Unlisted runs"] == [str(runs), f"{usd(cost)} of cost"]
    assert page.kpis["Detail coverage"] == [coverage, f"{listed:,} of {all_runs:,} runs"]
    for table in ("unlisted-agents", "unlisted-days"):
        total = page.table(table)[-1]
        assert {usd(cost), str(runs), str(failed)} <= set(total)
    assert page.table("adjustments")[1][2:7] == ["$1.10", "$1.35", "$0.25", "4 → 5", "run added"]
    assert len(page.table("loads")) == 1 + 5 + 1
    assert "Their cost is not zero" in page.root.text


def test_a_long_list_is_cut_and_its_total_is_not(build: BuildSite) -> None:
    """Of more days with unlisted runs than a page holds, the earlier ones are one line."""
    con = marts.empty()
    marts.workspace(con)
    marts.agent(con, agent_id="a")
    con.execute("""
        insert into given.unlisted_days
        select 'ws', 'a', date '2026-03-01' - n::integer, 2, 1, 0.015, 10, 1
        from range(400) as t(n)""")
    rows = _page(build(marts.derive(con)), "quality").table("unlisted-days")

    assert rows[-1][4:7] == ["800", "400", "$6.00"]
    assert next(row for row in rows if row[0] == "earlier")[4:6] == ["400", "200"]
    assert sum(_cents(row[6]) for row in rows[1:-1]) == Decimal(6)


def test_before_the_first_batch_the_pages_have_no_figure(build: BuildSite) -> None:
    """A workspace that no batch has read has both pages, without a figure made up."""
    con = marts.empty()
    marts.workspace(con, last_batch_at=None)
    quality, reconciliation = build(marts.derive(con)).controls

    assert reconciliation.root.all("h1")[0].text == "Nothing has been metered yet"
    assert "No control was run" in reconciliation.root.text
    assert "No month has been metered yet" in reconciliation.root.text
    assert quality.root.all("h1")[0].text == "No run has been read yet"
    assert "No batch has ended yet" in quality.root.text


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


def test_pages_of_real_batches_are_those_of_sql(
    batches: duckdb.DuckDBPyConnection, build: BuildSite
) -> None:
    """Figures of the emulator's batches are on both pages as in SQL, unlisted runs included."""
    (as_of,) = batches.execute("select max(last_batch_at) from marts.dim_workspaces").fetchone()  # type: ignore[misc]
    site = build(batches, as_of=as_of.astimezone(UTC))
    quality, reconciliation = site.controls
    metered, unexplained, of_days = batches.execute(
        "select sum(metered_cost_usd), sum(unexplained_usd), sum(unlisted_cost_usd)"
        " from audit.reconciliation_days"
    ).fetchone()  # type: ignore[misc]
    unlisted, unlisted_usd = batches.execute(
        "select sum(unlisted_run_count)::bigint, sum(unlisted_cost_usd) from marts.fct_agent_days"
    ).fetchone()  # type: ignore[misc]

    assert unlisted > 0
    assert unexplained == 0
    assert of_days == unlisted_usd
    assert "controls passed; $0.00 of " in reconciliation.root.all("h1")[0].text
    assert Decimal(_exact(reconciliation, "waterfall")[-1][0]) == metered
    assert Decimal(_exact(reconciliation, "waterfall")[3][0]) == unlisted_usd
    assert quality.table("unlisted-agents")[-1][4] == str(unlisted)
    assert quality.table("unlisted-agents")[-1][6] == usd(unlisted_usd)
    results = {row[-1] for row in reconciliation.table("controls")[1:]}
    assert "✓ passed" in results
    assert results <= {"✓ passed", "◔ nothing to compare yet"}
    (checks,) = batches.execute("select count(*) from audit.check_results").fetchone()  # type: ignore[misc]
    assert len(quality.table("all-checks")) == 1 + checks


def test_the_site_folder_holds_both_pages(site: Site) -> None:
    """Each workspace has its two pages in a folder of its own, linked from its page."""
    for page in site.workspaces:
        links = {each.attributes["href"] for each in page.root.all("a")}
        for name in ("reconciliation", "quality"):
            assert f"{page.path.stem}/{name}.html" in links
            assert Path(page.path.parent / page.path.stem / f"{name}.html").is_file()
