"""The page of a month: from a closed month to today, and from bill to bill."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from analytics.report.site import build_site
from tests.conftest import shared_folder
from tests.report.browser import Reader
from tests.report.expected import Reports
from tests.report.pages import Page, Site
from tests.report.test_files import ABOUT

_CHANGES = """
update rpt_statements set
    book_state = 'closed, revision 1', closed_billed_usd = 10, closed_run_cost_usd = 20,
    adjusted_billed_usd = 0, adjusted_in = 'November 2026'
where month = '2026-10-01' and workspace_id in ('(all)', $id);
insert into rpt_closed_to_today
select unnest(['(all)', $id]), date '2026-10-01', step_number, step, booked_month,
    cost, 1, 2, cost, 3
from (values (1, 'Closed, revision 1', date '2026-10-01', 5.5),
    (2, 'Adjustments booked in <i>', date '2026-11-01', -0.25))
    as steps(step_number, step, booked_month, cost);
insert into rpt_month_bridge by name
select
    unnest(['(all)', $id]) as workspace_id, date '2026-10-01' as month,
    date '2026-09-01' as previous_month, step_number, step, 'Meaning.' as comment, amount_usd,
    100 as start_usd, 75 as end_usd, driver_name, driver_model, driver_usd,
    driver_name is null as is_total
from (values
    (1, 'September 2026', 100, null, null, null),
    (3, 'Runs', 20.5, '<b>Desk</b>', 'opus', 30),
    (7, 'Price', -45.5, 'Writer', 'mini', -40),
    (14, 'October 2026', 75, null, null, null)
) as steps(step_number, step, amount_usd, driver_name, driver_model, driver_usd);
insert into rpt_month_reasons by name
select
    unnest(['(all)', $id]) as workspace_id, date '2026-10-01' as month,
    date '2026-09-01' as previous_month, 100 as start_usd, 75 as end_usd,
    'models cost less per token' as first_reason, -45.5 as first_usd, 'Writer' as first_name,
    'mini' as first_model, -40 as first_driver_usd, 'there were more runs' as second_reason,
    20.5 as second_usd, '<b>Desk</b>' as second_name, 'opus' as second_model,
    30 as second_driver_usd, 0 as other_count, 0 as left_out_count
"""
_REASONS = (
    "Above all, models cost less per token: \u2212\u2060$45.50; Writer on mini alone"
    " \u2212\u2060$40.00. Then, there were more runs: +\u2060$20.50; <b>Desk</b> on opus alone"
    " +\u2060$30.00."
)


@pytest.fixture(scope="module")
def site(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which October is closed and bridged, of the first workspace and of all."""

    def fill(folder: Path) -> None:
        reports = Reports(published / "analytics.duckdb")
        (workspace, _) = reports.entities.workspaces
        for change in _CHANGES.split(";\n"):
            reports.con.execute(change, {"id": workspace.workspace_id})
        build_site(reports.con, folder, about=ABOUT)

    return shared_folder(tmp_path_factory, "closed", fill)


@pytest.fixture(scope="module")
def pages(site: Path) -> tuple[Page, Page, Page]:
    """October of the closed workspace, of all workspaces, and of the one that is open."""
    found = [Page(each) for each in sorted(site.glob("workspaces/*/2026-10.html"))]
    closed, is_open = sorted(found, key=lambda page: "when closed" not in page.root.text)
    return closed, Page(site / "months" / "2026-10.html"), is_open


def _texts(page: Page, of: str) -> list[str]:
    return [each.text for each in page.root.all("p", **{"class": of})]


def test_a_closed_month_leads_to_today(pages: tuple[Page, Page, Page]) -> None:
    """What was adjusted since the close is said in a sentence, in tiles and by a table."""
    month, statement, unchanged = pages
    for page in (month, statement):
        _, *rows = page.table("closed-to-today-table")
        assert rows == [
            ["Closed, revision 1", "$5.50", "$1.00", "$2.00", "$5.50", "3"],
            ["Adjustments booked in <i>", "\u2212$0.25", "$1.00", "$2.00", "\u2212$0.25", "3"],
            ["Today", "$5.25", "$2.00", "$4.00", "$5.25", "6"],
        ]
        (since,) = (each for each in _texts(page, "as-of") if each.startswith("Adjusted since"))
        assert "in November 2026: billed $10.00 when closed" in since
    assert [*month.headlines] == [*statement.headlines]
    (told,) = (each for each in _texts(month, "lead") if each.startswith("Figures of today"))
    assert told.endswith("; when the month was closed, cost of runs $20.00, billed $10.00.")
    assert "closed-to-today" not in unchanged.source


def test_the_change_of_the_bill_is_explained(pages: tuple[Page, Page, Page]) -> None:
    """Sentences and a table say what changed it and whose it is; without a bridge, why not."""
    *bridged, without = pages
    for page in bridged:
        (section,) = page.root.all("section", **{"aria-labelledby": "bill-change"})
        leads = " ".join(each.text for each in section.all("p", **{"class": "lead"}))
        assert leads.translate(dict.fromkeys(map(ord, "\u2068\u2069"))) == _REASONS
        _, *rows = page.table("month-bridge-table")
        assert [(row[0], row[2], row[3]) for row in rows] == [
            ("September 2026", "$100.00", "\u2013"),
            ("Runs", "$20.50", "<b>Desk</b>"),
            ("Price", "\u2212$45.50", "Writer"),
            ("October 2026", "$75.00", "\u2013"),
        ]
    assert "once the month is over" in without.root.text


def test_the_waterfall_is_drawn(pages: tuple[Page, Page, Page], browser: Browser) -> None:
    """It has a bar for each step with its amount, without a fault, in the dark."""
    reader = Reader(browser, bypass_csp=True, color_scheme="dark")
    shown = reader.open(pages[0].path)
    reader.draw_all()
    count = shown.locator("#month-bridge .barlayer .point").count()
    amounts = shown.locator("#month-bridge .scatterlayer .textpoint").all_text_contents()
    faults = reader.faults("section:has(#month-bridge)")
    reader.close()

    assert [each.strip() for each in amounts] == ["$100.00", "+$20.50", "\u2212$45.50", "$75.00"]
    assert (count, faults) == (4, [])


def test_months_lead_to_one_another(batches: Site) -> None:
    """The overview links to each statement, and a statement to the month of each workspace."""

    def linked(page: Page, table: str) -> set[Path]:
        (found,) = page.root.all("table", id=table)
        return {(page.path.parent / a.attributes["href"]).resolve() for a in found.all("a")}

    assert linked(batches.overview, "by-month-table") == {each.path for each in batches.statements}
    for page in batches.statements:
        assert linked(page, "statement-workspaces-table") == {
            each.path for each in batches.months if each.path.stem == page.path.stem
        }
