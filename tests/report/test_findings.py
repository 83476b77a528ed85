"""What needs a person, on pages: a line each, in order, and an arrow to where its figures stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analytics.format import numbers
from analytics.report.facts import read_summary
from analytics.report.findings import event_label
from analytics.report.rendering import About
from analytics.report.site import build_site
from analytics.report.summary import summary_files
from analytics.transform.page_queries import create_queries
from analytics.warehouse.publications import Before
from tests.report.browser import Reader
from tests.report.expected import Reports
from tests.report.pages import Site
from tests.report.published import Asked

LINES = """\
act now | Northlight Studio exceeded its budget on n Nov | by $n of $n so far, $n expected
act now | Pull request reviewer vn fails n% of listed runs outside outages (n of n; vn: n of n)\
 since n Nov | $n so far
losing money | Supplier negotiator ends at its limits in n of n listed runs, as in the n days\
 before | $n in n days
losing money | openai.gpt-n-terra costs n% more per token since n Oct | $n more so far
for information | Order status is new since n Oct: it started n runs, more than lists show\
 | $n so far
""".splitlines()


@pytest.fixture
def follow(batches: Site, reader: Reader) -> Callable[..., Page]:
    """Follows the arrow of the finding on an overview whose line begins so."""

    def follow(beginning: str, overview: Path = batches.overview.path) -> Page:
        page = reader.open(overview)
        folds = "document.querySelectorAll('.needs-end > details')"
        page.evaluate(f"{folds}.forEach((each) => {{ each.open = true; }})")
        page.click(f'.needs a[aria-label^="Show: {beginning}"]')
        page.wait_for_url(lambda url: "index.html" not in url or "#" in url)
        reader.wait_until_ready()
        return page

    return follow


def test_the_overview_has_a_line_for_each_event(batches: Site) -> None:
    """Lines are in their order, with urgency and cost; a price of two workspaces is one of them."""
    (needs,) = batches.overview.root.all("section", **{"class": "needs"})
    shown = [
        " | ".join(
            each.all(tag, **parts)[0].text
            for tag, parts in (
                ("span", {"class": "urgency"}), ("bdi", {}), ("span", {"class": "amount"}),
            )
        )
        for each in needs.all("ul")[0].all("li")
    ]  # fmt: skip

    assert [re.sub(r"\d[\d,.]*", "n", each) for each in shown] == LINES
    folds = [each for each in needs.all("summary") if each.attributes.get("class") != "line"]
    assert [each.text for each in folds] == ["1 ended"]


def test_an_agent_without_a_finding_of_its_own_says_so(batches: Site, sql: Asked) -> None:
    """It does not say that nothing needs you: its model may have a price step."""
    found = "select workspace_id, agent_id from published.marts.fct_findings"
    own = {tuple(each.values()) for each in sql.rows(found)}
    quiet = []
    for page in batches.agents:
        (needs,) = page.root.all("section", **{"class": "needs"})
        (body,) = page.root.all("body")
        if (body.attributes["data-workspace"], body.attributes["data-agent"]) not in own:
            quiet.append(needs.all("p")[-1].text)

    assert {each.partition(":")[0] for each in quiet} == {"Nothing of this agent alone needs you"}


def test_what_is_new_is_marked(published: Path, tmp_path: Path) -> None:
    """The page says how many lines are new since an earlier day, and summary and line say so."""
    tables = Reports(published / "analytics.duckdb")
    (day, *known) = tables.rows("select finding_id from marts.fct_findings order by rank")
    ids = frozenset(each["finding_id"] for each in known)
    before = Before(date(2026, 11, 20), date(2026, 11, 21), ids)
    about = About(datetime(2026, 11, 21, 6, tzinfo=UTC), "0.1.0", "Europe/Berlin", before=before)
    build_site(tables.con, tmp_path, about=about)
    (needs,) = Site(tmp_path).overview.root.all("section", **{"class": "needs"})
    text = summary_files(read_summary(tables.con, before))["summary.md"].decode()

    assert day["finding_id"] not in ids
    assert needs.all("div", **{"class": "needs-head"})[0].all("p")[0].text == (
        "new since yesterday: 1"
    )
    new = [each.all("bdi")[0].text for each in needs.all("li") if each.all("b")]
    assert [each.split(" on ")[0] for each in new] == ["Northlight Studio exceeded its budget"]
    assert "\nNeeds you (new since yesterday: 1):\n" in text


def test_five_findings_are_five_lines(batches: Site, browser: Browser) -> None:
    """On a wide screen they take 120 pixels; on a phone a figure stands on the first screen."""
    wide, phone = Reader(browser), Reader(browser, viewport={"width": 390, "height": 844})
    heights = wide.open(batches.overview.path).evaluate(
        "[...document.querySelectorAll('.needs > ul > li')].map((each) => each.offsetHeight)"
    )
    top = phone.open(batches.overview.path).locator("#card-cost .value").bounding_box()

    assert len(heights) == 5
    assert sum(heights) <= 120
    assert top
    assert top["y"] + top["height"] <= 844
    for each in (wide, phone):
        each.close()
        assert each.complaints == []


@pytest.mark.parametrize(
    ("finding", "label"),
    [
        (("version_worse", "a-1", "v3"), "Dock clerk v3"),
        (("price_step", "(all)", "gpt-5"), "gpt-5 price"),
        (("failure_burst", "(all)", "openai"), "openai failures"),
        (("failure_burst", "a-1", "a-1"), "Dock clerk failures"),
    ],
)
def test_the_line_of_a_finding_is_labelled_by_name(
    finding: tuple[str, str, str], label: str
) -> None:
    """A version and failures of an agent by its name, not by its identifier; others by subject."""
    row = dict(zip(("kind", "agent_id", "subject"), finding, strict=True))
    assert event_label(row, "Dock clerk") == label


_CALLS = """
    from published.marts.fct_tool_calls
    where workspace_id = '{workspace_id}' and tool_name = '{tool_name}'
    and called_at >= timestamptz '{hour}' and called_at < timestamptz '{hour}' + interval 6 hours"""


def test_the_arrow_of_a_tool_leads_to_its_calls(
    published: Path, tmp_path: Path, follow: Callable[..., Page], sql: Asked
) -> None:
    """The calls within the hours of the outage: those that failed of all, by agent and together."""
    (busy,) = sql.rows(
        """select workspace_id, tool_name, date_trunc('hour', called_at) as hour
        from published.marts.fct_tool_calls where is_error
        group by all order by count(*) desc, 1, 2, 3 limit 1"""
    )
    calls = _CALLS.format(**busy)
    (known,) = sql.rows(f"select count(*) filter (is_error) as failed, count(*) as made {calls}")
    tables = Reports(published / "analytics.duckdb", f"""
        insert into marts.fct_findings by name
        select '1' as finding_id, 'failure_burst' as kind, '{busy["workspace_id"]}' as workspace_id,
            '(all)' as agent_id, '{busy["tool_name"]}' as subject, 'tool' as detail,
            'share' as unit, timestamptz '{busy["hour"]}' as since,
            timestamptz '{busy["hour"]}' + interval 6 hours as until, 0.01 as baseline,
            count(*) filter (is_error) / count(*) as value, count(*) as sample_count,
            3 as run_count, 50 as cost_usd, 1 as rank, false as is_silenced, false as is_chronic,
            'The tool failed.' as sentence {calls}""")  # fmt: skip
    create_queries(tables.con, ["reports.tool_outages"])
    build_site(tables.con, tmp_path, about=About(datetime(2026, 11, 21, 6, tzinfo=UTC), "1", "UTC"))
    page = follow(f"Tool {busy['tool_name']}", tmp_path / "index.html")
    total = page.locator("#tool-outages-table tfoot tr").locator("th, td").all_text_contents()
    line = page.locator(".needs bdi", has_text=busy["tool_name"]).first.text_content() or ""

    assert page.url.endswith("&show=failures&at=tool-outages")
    assert total == ["Total", "", numbers.failure_rate(known["failed"], known["made"]), ""]
    assert f"of {known['made']:,} calls" in line


def test_the_arrow_of_a_budget_leads_to_budgets(follow: Callable[[str], Page]) -> None:
    """It opens the page of the workspace at its budgets, which have that of the finding."""
    page = follow("Northlight Studio exceeded")
    assert "Northlight Studio" in (page.text_content("#budgets") or "")
