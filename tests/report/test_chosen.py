"""What a reader chooses: texts, tables and charts follow it, and every link carries it along."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page as Shown
from playwright.sync_api import expect

from analytics.format import numbers
from tests.hostile import NAMES
from tests.report.browser import Reader
from tests.report.pages import Site
from tests.report.published import Asked

OCTOBER, NOVEMBER, WEEKS, BEFORE = (
    f"between '{first}' and '{last}'"
    for first, last in (
        ("2026-10-01", "2026-10-31"), ("2026-11-01", "2026-11-21"),
        ("2026-11-07", "2026-11-20"), ("2026-10-24", "2026-11-06"),
    )
)  # fmt: skip
_FIGURES = """
    select sum(cost_usd) as cost, sum(run_count)::bigint as runs,
        sum(failed_count)::bigint as failed, sum(succeeded_count + failed_count)::bigint as finished
    from published.marts.fct_agent_days where @MINE and date """


def _rows(shown: Shown, table: str) -> list[list[str]]:
    rows: list[list[str]] = shown.locator(f"{table} tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return rows


def _drawn(shown: Shown, part: str) -> float:
    """The sum of the values of a chart."""
    plot = shown.locator(f"#{part} .plot")
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for()
    total: float = plot.evaluate(
        """({ data }) => data.filter(({ type }) => type === "bar").flatMap(({ y }) => [...y])
            .reduce((sum, each) => sum + (each ?? 0), 0)"""
    )
    return total


def test_weeks_stand_beside_as_many_before(batches: Site, sql: Asked, reader: Reader) -> None:
    """Figures are what SQL says of days that are over, with a change in percent, and in dollars."""
    page = batches.one("workspace")
    shown = reader.open(page.path, "#from=2026-11-07&to=2026-11-21")
    now, then = (sql.row(_FIGURES + days, page) for days in (WEEKS, BEFORE))

    def texts(key: str) -> list[str]:
        found: list[str] = shown.locator(f"#card-{key} :is(dt, .value, .more)").all_inner_texts()
        return [each.replace("\u2060", "") for each in found]

    expect(shown.locator("#span")).to_have_text("7\u201320 Nov 2026 beside 24 Oct\u20136 Nov 2026")
    assert texts("cost") == [
        "14 days", numbers.usd_headline(now["cost"]), numbers.change(now["cost"], then["cost"])
    ]  # fmt: skip
    assert texts("rate") == [
        "Failure rate", numbers.percent(now["failed"], now["finished"]),
        f"{now['failed']} of {now['finished']:,}",
    ]  # fmt: skip
    foot = shown.locator("#agents-table tfoot tr > *").all_inner_texts()
    assert foot[:4] == [
        "Total", numbers.usd(now["cost"]), numbers.usd_signed(now["cost"] - then["cost"]),
        numbers.count(now["runs"]),
    ]  # fmt: skip
    assert foot[4] == numbers.failure_rate(now["failed"], now["finished"])


def test_the_current_month_has_one_cost(batches: Site, sql: Asked, reader: Reader) -> None:
    """Cards, forecast and list of months have the cost by the day of the run, today included."""
    for page in (batches.overview, batches.one("workspace")):
        shown = reader.open(page.path, "#period=2026-11")
        is_site = page is batches.overview
        cost = sql.row(_FIGURES + NOVEMBER, None if is_site else page)["cost"]

        expect(shown.locator("#span")).to_have_text("1\u201321 Nov 2026 so far")
        expect(shown.locator("#card-cost .label")).to_have_text("November 2026 so far")
        expect(shown.locator("#card-cost .value")).to_have_text(numbers.usd_headline(cost))
        expect(shown.locator("#card-cost .change")).to_have_text("")
        expect(shown.locator("#card-month .value")).to_have_text(numbers.usd_headline(cost))
        assert f"Cost of November 2026: {numbers.usd_headline(cost)} so far" in page.source
        assert _rows(shown, "#by-month-table")[1][:2] == ["November 2026", numbers.usd(cost)]
        steps = [row[1] for row in _rows(shown, "#bill-steps-table")]
        assert (steps[1], len(steps)) == (numbers.usd(cost), 6)


def test_texts_tables_and_charts_follow_period_and_agents(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """What is chosen in the form is what all parts are of, and stands in the address."""
    page = batches.one("workspace")
    shown = reader.open(page.path)
    whole = shown.locator("#span").inner_text()
    shown.locator(".members summary").click()
    boxes = shown.locator('[name="member"]')
    chosen = []
    for index in (0, 2):
        boxes.nth(index).check()
        chosen.append(str(boxes.nth(index).get_attribute("value")))
    shown.keyboard.press("Escape")
    expect(shown.locator(".members .panel")).to_be_hidden()
    shown.locator("#period").select_option("2026-10")
    agents = [each.rsplit("-", 1)[0] for each in chosen]
    cost = sql.row(_FIGURES + OCTOBER, page, agents)["cost"]
    value, shown_cost = shown.locator("#card-cost .value"), numbers.usd_headline(cost)
    expect(value).to_have_text(shown_cost)
    address = shown.url

    for again in (False, True):  # as chosen, and as the address says
        if again:
            reader.open(page.path, f"#{address.partition('#')[2]}")
        lines = _rows(shown, "#agents-table")
        assert value.inner_text() == shown_cost
        assert len(lines) == len(chosen) + 2
        assert lines[-1][:2] == ["Total", numbers.usd(cost)]
        assert _drawn(shown, "cost") == pytest.approx(float(cost))
    assert "period=2026-10" in address
    assert f"only={','.join(chosen)}" in address

    shown.locator("#clear").click()
    expect(shown.locator("#span")).to_have_text(whole)
    assert "#" not in shown.url


@pytest.mark.parametrize(
    "hash_", ["#period=bad&only=nobody&sort=none:9:up", "#from=2026-12-01&to=2027-01-05&run="]
)
def test_an_address_that_means_nothing_chooses_nothing(
    hash_: str, batches: Site, reader: Reader
) -> None:
    """What an address cannot mean is ignored, and so are days to come; the form shows neither."""
    shown = reader.open(batches.one("workspace").path, hash_)

    assert shown.locator("#period").input_value() == shown.locator("#from").input_value() == ""
    assert shown.locator("html[data-chosen]").count() == 0
    assert shown.locator("#span").inner_text().startswith("24 Oct\u201320 Nov 2026;")


def test_a_choice_without_its_data_is_not_shown(batches: Site, reader: Reader) -> None:
    """A page says which file is missing or that it is newer, and all that it shows stays as one."""
    shown, data = reader.page, batches.folder / "data"
    shown.route("**/data/20*/*.js", lambda route: route.abort())
    shown.goto(batches.one("workspace").path.as_uri() + "#period=7")
    notice, period = shown.locator("main .notice"), shown.locator("#period")
    expect(notice).to_contain_text(re.compile(r"data/2026-11/\S+\.js is missing"))
    shown.unroute("**/data/20*/*.js")
    shown.evaluate("location.hash = 'from=2026-11-14&to=2026-11-20'")
    reader.wait_until_ready()
    expect(notice).to_have_count(0)
    shown.route("**/2026-09/*.js", lambda route: route.abort())
    drawn, title, address = _drawn(shown, "cost"), shown.title(), shown.url
    entries = shown.evaluate("history.length")
    period.select_option("2026-09")
    expect(notice).to_be_visible()

    assert (period.input_value(), shown.title(), shown.url) == ("own", title, address)
    assert shown.evaluate("history.length") == entries
    expect(shown.locator("#span")).to_contain_text("14\u201320 Nov 2026")
    assert drawn == _drawn(shown, "cost") > 0
    shown.unroute("**/2026-09/*.js")
    other = data / "pages" / "workspace.js"
    shown.route("**/data/site.js?*", lambda route: route.fulfill(path=other))
    period.select_option("2026-09")
    expect(notice).to_contain_text("published anew; reload the page")
    assert (period.input_value(), drawn) == ("own", _drawn(shown, "cost"))
    shown.unroute("**/data/site.js?*")
    period.select_option("2026-09")
    expect(shown.locator("#span")).to_contain_text("September 2026;")
    expect(notice).to_have_count(0)
    reader.complaints.clear()


def test_days_are_followed_once_both_are_typed(batches: Site, reader: Reader) -> None:
    """A day of which the year is yet to be typed, or that is before the data, chooses nothing."""
    shown = reader.open(batches.one("workspace").path)
    shown.locator("#period").select_option("own")
    chosen = []
    for place, keys in (("#from", "11012026"), ("#to", "1110"), ("#to", "11102026")):
        shown.locator(place).focus()
        shown.keyboard.type(keys)
        chosen.append(shown.url.partition("#")[2])

    assert chosen == ["", "", "from=2026-11-01&to=2026-11-10"]
    expect(shown.locator("#span")).to_have_text("1\u201310 Nov 2026")


def test_every_link_carries_the_choice(batches: Site, reader: Reader) -> None:
    """Menu, breadcrumb, tabs, tables and statements lead on with period and agents, and back."""
    page, agent = batches.one("workspace"), batches.one("agent").path.stem
    choice = f"#period=2026-10&only={agent}"
    shown = reader.open(page.path, choice)

    def follow(link: str, to: str) -> None:
        shown.locator(link).first.click()
        shown.wait_for_url(f"**/{to}{choice}")
        reader.wait_until_ready()

    follow('nav.tabs a:has-text("Trust")', "trust.html")
    follow('nav[aria-label="Breadcrumb"] li:nth-child(2) a', page.path.name)
    expect(shown.locator("#span")).to_contain_text("October 2026;")
    follow("#agents-table a", f"{agent}.html")
    expect(shown.locator("#span")).to_contain_text("October 2026;")
    follow("#siblings a", "*.html")
    shown.go_back()
    follow('nav[aria-label="Breadcrumb"] li:nth-child(1) a', "index.html")
    shown.locator("#open-menu").click()
    follow("#menu .agent a", "*.html")
    expect(shown.locator("#span")).to_contain_text("October 2026;")


def test_a_table_sorts_and_downloads_exactly_as_shown(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """A head sorts, and says so; the CSV is exact, in order; another choice is told after it."""
    page = batches.one("workspace")
    shown = reader.open(page.path, "#period=2026-10")
    head = shown.locator("#agents-table th button", has_text="Cost").first
    head.click()
    head.click()
    expect(head.locator("..")).to_have_attribute("aria-sort", "ascending")
    assert "sort=agents-table:1:ascending" in shown.url
    with shown.expect_download() as download:
        shown.locator("#agents .csv").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    costs = sql.rows(
        f"""select sum(cost_usd) as usd from published.marts.fct_agent_days
        where @MINE and date {OCTOBER} group by agent_id having usd is not null order by usd""",
        page,
    )

    assert [Decimal(row[1]) for row in rows if row[1]] == [each["usd"] for each in costs]
    assert f"'{NAMES['cmd-c-calc-a0']}" in [row[0] for row in rows]
    assert re.fullmatch(
        r"[a-z0-9-]+_agents-table_2026-10-01_2026-10-31\.csv", download.value.suggested_filename
    )

    for choice, said in (
        ("2026-11", "Shown: 1\u201321 November 2026"),
        ("", "Shown: 24 October\u201320 November 2026"),
    ):
        shown.locator("#period").select_option(choice)
        expect(shown.locator("#announcement")).to_have_text(said)
        expect(head.locator("..")).to_have_attribute("aria-sort", "ascending")
        assert shown.locator("#announcement").inner_text() == said


def test_a_hostile_name_stays_a_text_in_all_that_scripts_write(
    batches: Site, reader: Reader
) -> None:
    """Menu, form, titles, tables and charts show the name; it makes no element and runs nothing."""
    name = NAMES["script-alert-1-soehne"]
    (own,) = (page for page in batches.agents if "Söhne" in page.root.all("h1")[0].text)
    dialogs: list[str] = []
    reader.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    shown = reader.open(batches.one("workspace").path, f"#period=2026-10&only={own.path.stem}")
    shown.locator("#cost .legendtext, #cost .bars", has_text="").first.wait_for()
    shown.locator("#open-menu").click()
    shown.locator("#menu input").fill("<script>")
    texts = [
        shown.locator(where).first.inner_text()
        for where in ("#chosen-members", "#cost-title", "#agents-table tbody", "#menu li:visible a")
    ]

    assert all("<script>alert(1)</script>" in text for text in texts), texts
    assert name in shown.locator("#menu li:visible bdi").inner_text()
    assert shown.locator("script:not([src])").count() == 0
    assert dialogs == []


def test_the_agents_of_an_owner_can_be_chosen_together(
    batches: Site, sql: Asked, reader: Reader
) -> None:
    """One choice takes all agents that are the owner's today; the form then shows the owner."""
    name = "<b>Söhne & Co</b>"
    owned = f"select agent_id from published.marts.dim_agents where owner = '{name}'"
    agents = [each["agent_id"] for each in sql.rows(owned)]
    (page,) = (each for each in batches.workspaces if "Northlight" in each.root.all("h1")[0].text)
    shown = reader.open(page.path, "#period=2026-10")
    shown.locator(".members summary").click()
    owner = shown.locator("#owner")
    assert owner.locator("option").all_inner_texts() == ["any", name, "=Support()", "no owner"]
    owner.select_option(label=name)
    cost = numbers.usd_headline(sql.row(_FIGURES + OCTOBER, page, agents)["cost"])
    expect(shown.locator("#card-cost .value")).to_have_text(cost)
    assert shown.locator('[name="member"]:checked').count() == len(agents)

    shown.locator('[name="member"]:checked').first.uncheck()
    assert owner.input_value() == ""
    owner.select_option(label="no owner")
    owner.select_option(label="any")
    expect(shown.locator("#chosen-members")).to_have_text("all")


def test_the_large_chart_is_switched(batches: Site, sql: Asked, reader: Reader) -> None:
    """What it shows, and by what, is pressed, and stands in the address; runs have no model.

    The address has nothing that is not shown.
    """
    page = batches.one("workspace")
    shown = reader.open(page.path, "#period=2026-10")
    shown.locator('#cost button[value="runs"]').click()
    expect(shown.locator("#cost-title")).to_contain_text("of the runs")
    assert _drawn(shown, "cost") == sql.row(_FIGURES + OCTOBER, page)["runs"]
    shown.locator('#cost button[value="model"]').click()
    expect(shown.locator("#cost-title")).to_contain_text("of the cost")
    assert shown.url.endswith("#period=2026-10&by=model")
    assert shown.locator('#cost button[value="runs"]').is_hidden()
    pressed = shown.locator('#cost button[aria-pressed="true"]').all_inner_texts()
    assert pressed == ["model", "cost"]


def test_an_address_has_what_is_shown_and_no_default(batches: Site, reader: Reader) -> None:
    """What a chart does not offer leaves it; a status stands there, and a link shows the same."""
    page = batches.one("agent").path
    shown = reader.open(page, "#period=2026-10&by=model&show=failures&status=none")
    status, rows = shown.locator("#run-status"), shown.locator("#listed-runs tbody tr")
    expect(shown).to_have_url(re.compile(r"#period=2026-10&by=model$"))
    assert status.input_value() == "failed"
    shown.locator('#cost button[value="total"]').click()
    expect(shown).to_have_url(re.compile(r"#period=2026-10$"))
    status.select_option("any")
    expect(shown).to_have_url(re.compile(r"#period=2026-10&status=any$"))
    expect(rows).to_have_count(20)
    reader.open(page, shown.url.partition("html")[2])
    assert (status.input_value(), rows.count()) == ("any", 20)
    status.select_option("failed")
    expect(shown).to_have_url(re.compile(r"#period=2026-10$"))


def test_the_rest_of_a_table_is_opened(batches: Site, reader: Reader) -> None:
    """Ten agents stand in the table; a button opens the others, and they stay open."""
    shown = reader.open(batches.one("overview").path)
    more, rows = shown.locator("#agents .all-rows"), shown.locator("#agents-table tbody tr")
    assert rows.count() == 10
    text = more.inner_text()
    more.click()
    expect(rows).to_have_count(10 + int(text.partition(" ")[0]))
    expect(rows.nth(10).locator("a")).to_be_focused()
    shown.locator("#period").select_option("2026-10")
    expect(more).to_have_count(0)


def test_back_and_forward_restore_each_choice(batches: Site, reader: Reader) -> None:
    """Each choice is one entry of the history; a choice that changes nothing adds none."""
    shown = reader.open(batches.one("agent").path, "#period=2026-10")
    period, days = shown.locator("#period"), shown.locator("#span")
    head = shown.locator("#listed-runs th", has_text="Cost")
    opened = shown.evaluate("history.length")
    days_shown = [days.inner_text()]
    for month in ("2026-09", "2026-11"):
        period.select_option(month)
        expect(days).not_to_have_text(days_shown[-1])
        days_shown.append(days.inner_text())
    shown.locator('#cost button[value="total"]').click()
    shown.locator('#cost button[value="total"]').click()
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    run = shown.locator("#listed-runs tbody a").first
    run.click()
    dialog = shown.locator("#run-detail")
    expect(dialog).to_be_visible()
    chosen = shown.url

    assert shown.evaluate("history.length") == opened + 4
    shown.go_back()
    expect(dialog).to_be_hidden()
    expect(head).to_have_attribute("aria-sort", "descending")
    shown.go_back()
    expect(head).not_to_have_attribute("aria-sort", "descending")
    for text in days_shown[-2::-1]:
        shown.go_back()
        expect(days).to_have_text(text)
    assert (period.input_value(), shown.url[-15:]) == ("2026-10", "#period=2026-10")
    for _ in range(4):
        shown.go_forward()
    expect(dialog).to_be_visible()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert (days.inner_text(), shown.url) == (days_shown[-1], chosen)
    shown.evaluate("history.go(-4)")
    expect(days).to_have_text(days_shown[0])
    shown.go_back()
    shown.wait_for_url("about:blank")


def test_back_restores_the_order_of_a_table_without_a_chart(batches: Site, reader: Reader) -> None:
    """A table that the page brings has its first order again."""
    shown = reader.open(batches.one("statement").path)
    table = shown.locator("main table[data-sortable]").first
    first_column = table.locator("tbody th")
    given = first_column.all_inner_texts()
    head = table.locator("th button").first
    head.click()
    head.click()
    expect(first_column).not_to_have_text(given)
    shown.go_back()
    shown.go_back()
    expect(first_column).to_have_text(given)
