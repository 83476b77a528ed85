"""The page of a month: what it books, what changed since its close, and why the bill changed."""

from __future__ import annotations

import re
from os.path import normpath
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
update statements set
    book_state = 'closed early', revision = 1, closed_on = date '2026-11-08', prepared_by = 'Ann',
    approved_by = 'B. <i>Ob</i>', early_reasons = '<b>Bakery</b>: 2 open days',
    to_book_usd = 7.5, own_key_usd = 2, earlier_usd = 0,
    invoiced_usd = 7, accrual_usd = 0.5, accrued_when = 'at its end',
    manifest_sha256 = 'abc', last_load_id = 'load-9'
where month = '2026-10-01' and workspace_id in ('(all)', $id);
delete from month_cost_centers where month = '2026-10-01' and workspace_id in ('(all)', $id);
insert into month_cost_centers by name
select unnest(['(all)', $id]) as workspace_id, date '2026-10-01' as month, cost_center,
    billed_usd as direct_usd, 0.004 as shared_usd, billed_usd, round(billed_usd, 2) as booked_usd
from (values ('<b>C-1</b>', 5.5), ('C-2', 1.998), ('C-3', 0.004), ('C-4', 0.004))
    as centers (cost_center, billed_usd);
insert into month_adjustments by name
select unnest(['(all)', $id]) as workspace_id, date '2026-10-01' as month, 'Jul 2026' as usage_of,
    'Writer' as agent_name, 'C-' || i as cost_center, 'late_run' as cause,
    1.004 + i as difference_billed_usd
from range(14) as rows (i);
insert into bill_changes by name
select
    unnest(['(all)', $id]) as workspace_id, date '2026-10-01' as month,
    date '2026-09-01' as previous_month, -25 as change_usd, place, cause, amount_usd,
    amount_usd / 45.5 as share, driver_name, driver_model, '<i>Gone</i>' as left_out_names
from (values
    (1, 'models cost less per token', -45.5, 'Writer', 'mini'),
    (2, 'there were more runs', 20.5, '<b>Desk</b>', 'opus')
) as effects(place, cause, amount_usd, driver_name, driver_model)
"""


_LARGE = """
update statements set revision = 1, manifest_sha256 = repeat('ab', 32)
where month = '2026-09-01' and workspace_id = '(all)';
insert into month_cost_centers by name
select
    '(all)' as workspace_id, date '2026-09-01' as month, 'CC-' || i as cost_center,
    i as direct_usd, 1 as shared_usd, i + 1 as billed_usd, i as booked_usd
from range(1, 16) as rows (i);
insert into month_invoices by name
select
    '(all)' as workspace_id, date '2026-09-01' as month, 'Bakery and Sons · LEV-' || i as subject,
    date '2026-08-01' as usage_month, 'differs' as state, i as age_days, i as billed_usd,
    i + 1 as invoiced_usd, -1 as accrual_usd
from range(1, 6) as rows (i);
insert into rpt_budgets by name
select
    '(all)' as workspace_id, date '2026-09-01' as month, 'Budget ' || i as subject,
    100 as budget_usd, i as actual_usd, 'within' as status
from range(1, 7) as rows (i);
insert into bill_changes by name
select
    '(all)' as workspace_id, date '2026-09-01' as month, date '2026-08-01' as previous_month,
    55 as change_usd, i as place, 'models cost more per token' as cause, i as amount_usd,
    i / 10 as share, 'Pull request reviewer' as driver_name, 'claude-opus' as driver_model
from range(1, 11) as rows (i);
"""

_STATE = (
    "closed early · revision 1 of 8 November 2026 · prepared by \u2068Ann\u2069"
    " · approved by \u2068B. <i>Ob</i>\u2069"
)
_LEFT_OUT = (
    "The change of the bill is without \u2068<i>Gone</i>\u2069: a month of theirs was not read"
    " whole, or its bill is unknown."
)


@pytest.fixture(scope="module")
def site(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which October is closed and compared, of the first workspace and of all."""

    def fill(folder: Path) -> None:
        reports = Reports(published / "analytics.duckdb")
        (workspace, _) = reports.entities.of("workspace")
        for change in _CHANGES.split(";\n"):
            reports.con.execute(change, {"id": workspace.workspace_id})
        reports.con.execute(_LARGE)
        build_site(reports.con, folder, about=ABOUT)

    return shared_folder(tmp_path_factory, "closed", fill)


@pytest.fixture(scope="module")
def pages(site: Path) -> tuple[Page, Page, Page]:
    """October of the closed workspace, of all workspaces, and of the one that is open."""
    found = [Page(each) for each in sorted(site.glob("workspaces/*/2026-10.html"))]
    closed, is_open = sorted(found, key=lambda page: "closed early" not in page.root.text)
    return closed, Page(site / "months" / "2026-10.html"), is_open


def _signed(page: Page) -> list[str]:
    return [
        line.text for each in page.root.all("dl", **{"class": "sign"}) for line in each.all("dt")
    ]


def _texts(page: Page) -> list[str]:
    return [each.text for each in page.root.all("p", **{"class": "as-of"})]


def test_a_month_says_what_it_books(pages: tuple[Page, Page, Page]) -> None:
    """State, sums and evidence, of all workspaces lines to sign; a table leaves out what is below
    a cent, and counts it in: what is left out, and what rounding leaves, is a line of its own.
    """
    month, all_together, unchanged = pages
    for page in (month, all_together):
        assert _texts(page) == [
            _STATE,
            "It might still change when it was closed: <b>Bakery</b>: 2 open days.",
            _LEFT_OUT,
        ]
        assert page.headlines == {
            "To book": ["$7.50", "and $2.00 of own-key cost, payable to providers"],
            "Of it adjustments of earlier months": ["$0.00"],
            "Invoiced in the month": ["$7.00", "$0.50 accrued at its end"],
        }
        assert page.table("month-cost-centers-table") == [
            ["Cost center", "Own agents", "Billed", "Booked"],
            ["<b>C-1</b>", "$5.50", "$5.50", "$5.50"],
            ["C-2", "$2.00", "$2.00", "$2.00"],
            ["Rounding", "$0.01", "$0.01", ""],
            ["Total", "$7.51", "$7.51", "$7.50"],
        ]
        *_, more, rounding, total = page.table("month-adjustments-table")
        assert more == ["6 more in fct_period_adjustments"]
        assert rounding == ["Rounding", "", "", "+$0.06"]
        assert total == ["Total", "", "", "+$105.06"]
        assert "amounts are rounded one by one; all digits are in fct_accruals" in page.source
        assert "manifest abc · loads to load-9 · " in page.root.all("footer")[0].text
    assert _signed(all_together) == ["Checked by", "Approved by"]
    assert _signed(month) == _signed(unchanged) == []
    assert "month-workspaces-table" not in month.source  # what has no row is not there


def test_the_change_of_the_bill_is_explained(pages: tuple[Page, Page, Page]) -> None:
    """The effects stand around zero, the largest first; without any, why not."""
    *compared, without = pages
    for page in compared:
        title = page.root.all("h3", id="bill-changes-title")[0].text
        assert title == "Why it changed: \u2212\u2060$25.00 against September 2026"
        assert page.table("bill-changes-table")[1:] == [
            ["Models cost less per token", "Writer", "mini", "", "\u2212$45.50"],
            ["There were more runs", "<b>Desk</b>", "opus", "", "+$20.50"],
        ]
        (table,) = page.root.all("table", id="bill-changes-table")
        bars = [each.attributes for each in table.all("rect")]
        assert [(each["class"], each["x"], each["width"]) for each in bars] == [
            ("less", "0", "120"), ("more", "120", "54.1"),
        ]  # fmt: skip
    assert "once the month is over" in without.root.text


def test_a_month_is_one_sheet(site: Path, pages: tuple[Page, Page, Page], browser: Browser) -> None:
    """It prints on one A4, also with fifteen cost centers, and has no fault in the dark."""
    reader = Reader(browser, bypass_csp=True, color_scheme="dark")
    for path in (pages[0].path, site / "months" / "2026-09.html", pages[1].path):
        shown = reader.open(path)
        sheet = shown.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
    faults = reader.faults("main")
    reader.close()

    assert faults == []


def test_months_lead_to_one_another(batches: Site) -> None:
    """The overview links to each month, and a month to its workspaces and to those beside it."""

    def linked(page: Page, kind: str, **of: str) -> set[Path]:
        (found,) = page.root.all(kind, **of)
        places = (page.path.parent / a.attributes["href"] for a in found.all("a"))
        return {Path(normpath(each)) for each in places}

    of_all = [each.path for each in batches.statements]
    assert linked(batches.overview, "table", id="by-month-table") == {*of_all}
    for at, page in enumerate(batches.statements):
        same = {each.path for each in batches.months if each.path.stem == page.path.stem}
        assert linked(page, "table", id="month-workspaces-table") == same
        beside = {*of_all[max(at - 1, 0) : at + 2]}
        assert linked(page, "nav", **{"class": "tabs"}) == same | beside
