"""What a browser shows of real batches, chosen or not, is what SQL says, to each point drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.report import cells, control_sql, drawn
from tests.report.asking import Days, days, identity, of_page, question, today
from tests.report.browser import Reader
from tests.report.cells import Cell
from tests.report.pages import Page, Site
from tests.report.published import Asked
from tests.report.table_sql import WHOLE

FIRST, LAST = date(2026, 10, 14), date(2026, 11, 8)  # clocks were put back, a month ended


def _page(batches: Site, kind: str) -> Page:
    """The page with most to show of each kind."""
    pages = {
        "overview": [batches.overview],
        "workspace": batches.workspaces,
        "agent": batches.agents,
    }
    return max(pages[kind], key=lambda page: len(page.root.all("table")) * 10**6 + len(page.source))


def _members(page: Page, kind: str) -> list[str]:
    """The second and the third of those that the page lets choose: by their data files."""
    boxes = page.root.all("input", name="member")
    return [each.attributes["value"] for each in boxes][: 1 if kind == "overview" else 3][-2:]


_TABLES = """(those) => [...document.querySelectorAll(those)].map(table =>
        [table.id, [...table.rows].slice(1).map(row => [...row.cells].map(cell => {
        const note = [...cell.querySelectorAll('small')].map(each => each.textContent).join('');
        const text = cell.textContent;
        return [text.slice(0, text.length - note.length), note, cell.dataset.v ?? null];
    }))])"""


def _tables(
    shown: Any, those: str = "figure.chart:not(:has(.plot[hidden])) table"
) -> dict[str, list[list[Cell]]]:
    return {
        key: [[Cell(*each) for each in row] for row in rows if row[0][0] != "Rounding"]
        for key, rows in shown.evaluate(_TABLES, those)
    }


def _asked(sql: Asked, page: Page, kind: str, members: list[str]) -> Asked:
    """Questions of what was chosen on a page."""
    of_page(sql, page)
    if members and kind == "overview":
        return sql.of([identity(each) for each in members])
    if members:
        return sql.of([identity(page.path.stem)], [identity(each) for each in members])
    return sql


def _is_charted(spec: dict[str, Any]) -> bool:
    """Whether a chart shows the charted days where none were chosen, or else the recent ones."""
    return spec["kind"] in {"days", "rates", "stack", "spreads"} or bool(spec.get("charted"))


CHOICES = {
    "nothing": (False, False),
    "period": (True, False),
    "members": (False, True),
    "both": (True, True),
}
CASES = [
    ("overview", "nothing"), ("overview", "both"), ("workspace", "nothing"),
    ("workspace", "period"), ("workspace", "members"), ("workspace", "both"),
    ("agent", "nothing"), ("agent", "period"),
]  # fmt: skip
# What is of the newest days, whatever is chosen.
FIXED = {"movers", "forecast", "billing", "movers-table", "forecast-table", "billing-by-provider"}


HEADLINE = (
    "usd cost", "count runs", "rate failed finished",
    "range failed_usd failed_high unlisted_failed", "each run_cost succeeded",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "choice"), CASES)
def test_what_was_chosen_is_shown_as_sql_says(
    kind: str, choice: str, batches: Site, sql: Asked, reader: Reader
) -> None:
    """Headline, tables of charts, and each point drawn are those of the chosen days and agents."""
    page, (has_period, has_members) = _page(batches, kind), CHOICES[choice]
    members = _members(page, kind) if has_members else []
    hash_ = [f"from={FIRST}&to={LAST}"] * has_period + [f"only={','.join(members)}"] * has_members
    shown = reader.open(page.path, f"#{'&'.join(hash_)}" if hash_ else "")
    reader.draw_all()
    found = []

    def of(asked: cells.Question, key: str) -> Days:
        chosen = {"first": FIRST, "last": LAST, "today": today(page)}
        if has_period and key not in FIXED:
            return chosen
        return days(page, replace(asked, is_charted=asked.is_charted or has_members))

    for key, rows in _tables(shown).items():
        if (choice != "nothing") and key in FIXED:
            continue
        asked, lines = question(page, key), rows
        period = of(asked, key)
        _asked(sql, page, kind, members)
        if asked.total:
            totals = sql.rows(asked.total_sql, **period)
            found += cells.differences(asked.total, totals, rows[-1:])
            lines = rows[:-1]
        right = sql.rows(asked.sql, **period)
        found += [f"{key}: {each}" for each in cells.differences(asked.cells, right, lines)]
    if choice != "nothing":
        texts = shown.locator("#chosen dd").all_inner_texts()
        whole = of(cells.Question("", "", is_charted=True), "")
        row = _asked(sql, page, kind, members).row(WHOLE, **whole)
        right = [cells.said(each, row) for each in HEADLINE]
        found += [] if texts == right else [f"headline {texts}, not {right}"]
    for key, traces in shown.evaluate(drawn.READ):
        spec = page.charts[key]
        charted = cells.Question("", "", is_charted=_is_charted(spec))
        _asked(sql, page, kind, [] if key in FIXED else members)
        found.append(drawn.differences(key, spec, traces, sql, of(charted, key)))

    assert found
    assert [each for each in found if each] == []


def test_the_most_expensive_runs_are_those_of_the_choice(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """The most expensive runs of a chosen period are its own, and else those that were built."""
    page = _page(batches, "agent")
    of_page(sql, page)
    right = sql.rows(
        f"""{control_sql.RUN_COLUMNS} from runs
        where cost_usd is not null and day between $first and $last
        order by cost_usd desc, run_id limit 10""",
        first=FIRST,
        last=LAST,
        today=LAST,
    )
    shown = reader.open(page.path, f"#from={FIRST}&to={LAST}")
    (lines,) = _tables(shown, "#most-expensive-runs").values()
    shown.locator("#clear").click()
    shown.locator("#chosen").wait_for(state="hidden")
    expect(shown.locator("#most-expensive-runs caption span")).to_have_text(
        page.root.all("table", id="most-expensive-runs")[0].all("caption")[0].text
    )
    (built,) = _tables(shown, "#most-expensive-runs").values()

    assert [line[0].text for line in lines] == [row["run_id"] for row in right]
    assert [line[0].text for line in built] == [
        row[0] for row in page.table("most-expensive-runs")[1:]
    ]


def test_most_expensive_runs_that_a_page_does_not_hold_are_not_listed(
    site: Site, reader: Reader
) -> None:
    """Where no run of a choice is listed or none is priced, a sentence stands for the table."""
    shown = reader.open(site.agents[0].path, "#from=2025-12-01&to=2025-12-01")

    assert shown.locator("#most-expensive-runs:visible").count() == 0
    assert "No listed run of known cost" in shown.locator("#most-expensive-unknown").inner_text()
