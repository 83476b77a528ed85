"""The bridge from bill to bill on pages: three sentences, a waterfall, and the table of both."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.report.browser import PHONE, Reader
from tests.report.expected import Reports
from tests.report.pages import Page
from tests.report.test_files import Built, build, reports

__all__ = ["build", "reports"]

_STEPS = """
insert into reports.rpt_month_bridge by name
select
    unnest(['(all)', ?]) as workspace_id, date '2026-10-01' as month,
    date '2026-09-01' as previous_month, step_number, step, 'Meaning.' as comment, amount_usd,
    100 as start_usd, 75 as end_usd, driver_name, driver_model, driver_usd,
    driver_name is null as is_total, 'latest' as recency
from (values
    (1, 'September 2026', 100, null, null, null),
    (3, 'Runs', 20.5, '<b>Desk</b>', 'opus', 30),
    (7, 'Price', -45.5, 'Writer', 'mini', -40),
    (14, 'October 2026', 75, null, null, null)
) as steps(step_number, step, amount_usd, driver_name, driver_model, driver_usd)
"""
_REASONS = """
insert into reports.rpt_month_reasons by name
select
    unnest(['(all)', ?]) as workspace_id, date '2026-10-01' as month,
    date '2026-09-01' as previous_month, 100 as start_usd, 75 as end_usd,
    'models cost less per token' as first_reason, -45.5 as first_usd, 'Writer' as first_name,
    'mini' as first_model, -40 as first_driver_usd, 'there were more runs' as second_reason,
    20.5 as second_usd, '<b>Desk</b>' as second_name, 'opus' as second_model,
    30 as second_driver_usd, 0 as other_count, 0 as left_out_count
"""
SENTENCES = (
    "Above all, models cost less per token: \u2212\u2060$45.50; Writer on mini alone"
    " \u2212\u2060$40.00."
    " Then, there were more runs: +\u2060$20.50; <b>Desk</b> on opus alone +\u2060$30.00."
)
TITLE = "Billed $75.00 for October 2026: \u2212\u2060$25.00 (\u221225%) against September 2026"


@pytest.fixture
def bridged(reports: Reports, build: Built) -> Path:
    """A site whose last whole month has a bridge, of a workspace and of all."""
    workspace_id = reports.entities.workspaces[0].workspace_id
    reports.con.execute(_STEPS, [workspace_id])
    reports.con.execute(_REASONS, [workspace_id])
    return build("bridged")


def _pages(site: Path, month: str = "2026-10") -> list[Page]:
    """The statements of a month: those that have a bridge, and that of the other workspace."""
    months = [Page(each) for each in sorted(site.glob(f"workspaces/*/{month}.html"))]
    return [*months, Page(site / "months" / f"{month}.html")]


def _lead(page: Page) -> str:
    """The sentences below the heading, without the marks that set names apart."""
    (section,) = page.root.all("section", **{"aria-labelledby": "bill-change"})
    texts = [each.text for each in section.all("p", **{"class": "lead"})]
    return " ".join(texts).replace("\u2068", "").replace("\u2069", "")


def test_sentences_and_table(bridged: Path) -> None:
    """Pages say what changed the bill and whose it is; without a bridge they say why not."""
    with_bridge = [page for page in _pages(bridged) if _lead(page)]

    assert len(with_bridge) == 2
    for page in with_bridge:
        assert _lead(page) == SENTENCES
        assert TITLE in page.root.text
        rows = page.table("month-bridge-table")
        assert [(row[0], row[2], row[3]) for row in rows[1:]] == [
            ("September 2026", "$100.00", "\u2013"),
            ("Runs", "$20.50", "<b>Desk</b>"),
            ("Price", "\u2212$45.50", "Writer"),
            ("October 2026", "$75.00", "\u2013"),
        ]
    (without,) = (page for page in _pages(bridged) if not _lead(page))
    assert "once the month is over" in without.root.text


@pytest.mark.parametrize("screen", [{"viewport": PHONE}, {"color_scheme": "dark"}])
def test_the_waterfall_is_drawn(bridged: Path, browser: Browser, screen: dict[str, object]) -> None:
    """It has a bar for each step with its amount, without a fault, on a phone and in the dark."""
    reader = Reader(browser, bypass_csp=True, **screen)
    (page,) = (each for each in _pages(bridged)[:-1] if _lead(each))
    shown = reader.open(page.path)
    reader.draw_all()
    drawn = shown.locator("#month-bridge .barlayer .point")
    amounts = shown.locator("#month-bridge .scatterlayer .textpoint").all_text_contents()
    faults = reader.faults("section:has(#month-bridge)")
    width = shown.evaluate("document.documentElement.scrollWidth - innerWidth")
    count, heading = drawn.count(), shown.locator("#month-bridge-title").inner_text()
    reader.close()

    assert count == 4
    assert [each.strip() for each in amounts] == ["$100.00", "+$20.50", "\u2212$45.50", "$75.00"]
    assert (heading, faults, width) == (TITLE, [], 0)
