"""The statement of a month of all workspaces, and the way from a closed month to today."""

from __future__ import annotations

from analytics.format import numbers
from tests.report.expected import Reports, key_in_words
from tests.report.pages import Page, Site
from tests.report.published import Asked
from tests.report.test_files import Built, build, reports

__all__ = ["build", "reports"]

_BILL = """
    select coalesce(workspace_name, 'Total') as name, sum(metered_cost_usd) as cost,
        sum(surcharge_usd) as surcharge, sum(own_key_usd) as own_key, sum(billed_usd) as billed
    from published.marts.fct_charges
    where date_trunc('month', utc_date) = '2026-10-01'
    group by rollup (workspace_name) order by grouping(workspace_name), billed desc
"""
_AMOUNTS = ("cost", "surcharge", "own_key", "billed")
_CLOSE = """
update reports.rpt_statements set
    book_state = 'closed, revision 1', closed_billed_usd = 10, closed_run_cost_usd = 20,
    adjusted_billed_usd = 0, adjusted_in = 'November 2026'
where month = '2026-10-01' and workspace_id in ('(all)', ?)
"""
_STEPS = """
insert into reports.rpt_closed_to_today
select unnest(['(all)', ?]), date '2026-10-01', step_number, step, booked_month, cost, 1, 2, cost, 3
from (values (1, 'Closed, revision 1', date '2026-10-01', 5.5),
    (2, 'Adjustments booked in <i>', date '2026-11-01', -0.25))
    as steps(step_number, step, booked_month, cost)
"""


def _october(batches: Site) -> Page:
    return Page(batches.folder / "months" / "2026-10.html")


def test_a_statement_has_the_bill_of_each_workspace(batches: Site, sql: Asked) -> None:
    """Each workspace and the total are the bill of the UTC month, and lead to the workspace's."""
    page = _october(batches)
    _, *found = page.table("statement-workspaces-table")

    assert [row[:5] for row in found] == [
        [row["name"], *(numbers.usd(row[name]) for name in _AMOUNTS)] for row in sql.rows(_BILL)
    ]
    (table,) = page.root.all("table", id="statement-workspaces-table")
    links = {(page.path.parent / each.attributes["href"]).resolve() for each in table.all("a")}
    assert links == {each.path for each in batches.months if each.path.stem == "2026-10"}


def test_a_statement_has_the_cost_centers(batches: Site, sql: Asked) -> None:
    """The bill by cost center after allocation is the same bill, of all workspaces together."""
    _, *rows, total = _october(batches).table("cost-centers-table")

    assert [row[:2] for row in rows] == [
        [key_in_words("cost_center", row["cost_center"]), numbers.usd(row["usd"])]
        for row in sql.rows("""
            select cost_center, sum(billed_usd) as usd from published.marts.fct_allocations
            where usage_month = '2026-10-01' group by all order by usd desc, cost_center
        """)
    ]
    assert total[1] == numbers.usd(sql.rows(_BILL)[-1]["billed"])


def test_the_overview_leads_to_statements(batches: Site) -> None:
    """Months stand as links on the overview."""
    path = batches.overview.path
    (table,) = batches.overview.root.all("table", id="by-month-table")
    links = {(path.parent / each.attributes["href"]).resolve() for each in table.all("a")}

    assert links == {each.path for each in batches.statements}


def test_invoices_of_all_workspaces_stand_together(batches: Site) -> None:
    """A statement has the invoice of the one workspace, and accruals of both."""
    page = _october(batches)
    _, invoice = page.table("month-invoices-table")
    _, *accruals, total = page.table("month-accruals-table")

    assert invoice[:2] == ["Northlight Studio", "=<i>LEV</i>"]
    assert {row[0] for row in accruals} == {"Northlight Studio", "Hearth & Grain"}
    assert total[5] == page.headlines["Accrued, not invoiced"][0].replace("\u2060", "")


def _said(page: Page) -> list[str]:
    return [each.text for each in page.root.all("p", **{"class": "as-of"})]


def test_a_closed_month_leads_to_today(reports: Reports, build: Built) -> None:
    """What was adjusted since the close is said in a sentence, in tiles and by a table."""
    other, workspace = reports.entities.workspaces  # the latter has owners
    for change in (_CLOSE, _STEPS):
        reports.con.execute(change, [workspace.workspace_id])
    site = build("closed")
    month, unchanged = (
        Page((site / each.path).with_suffix("") / "2026-10.html") for each in (workspace, other)
    )
    statement = Page(site / "months" / "2026-10.html")

    for page in (month, statement):
        _, *rows = page.table("closed-to-today-table")
        assert rows == [
            ["Closed, revision 1", "$5.50", "$1.00", "$2.00", "$5.50", "3"],
            ["Adjustments booked in <i>", "\u2212$0.25", "$1.00", "$2.00", "\u2212$0.25", "3"],
            ["Today", "$5.25", "$2.00", "$4.00", "$5.25", "6"],
        ]
        (since,) = (each for each in _said(page) if each.startswith("Adjusted since then"))
        assert since.startswith("Adjusted since then, in November 2026: billed $10.00 when closed")
    assert [*month.headlines] == [*statement.headlines]
    leads = [each.text for each in month.root.all("p", **{"class": "lead"})]
    assert [each.partition(";")[2] for each in leads if each.startswith("Figures of today")] == [
        " when the month was closed, cost of runs $20.00, billed $10.00."
    ]
    assert "when closed" not in unchanged.root.text
    assert "closed-to-today" not in unchanged.source


def test_a_statement_stays_while_it_says_the_same(reports: Reports, build: Built) -> None:
    """What changes in one month leaves the statements of the others as they were."""
    before = build("before")
    reports.con.execute("update reports.rpt_invoices set amount_usd = 7 where month = '2026-10-01'")
    reports.con.execute("update reports.rpt_headlines set as_of = as_of + interval 1 hour")
    after = build("after", before)

    names = {file.name for file in (after / "months").iterdir()}
    kept = {name for name in names if (before / "months" / name).samefile(after / "months" / name)}
    assert names - kept == {"2026-10.html"}
