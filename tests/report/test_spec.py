"""Specifications of pages: which are refused, and what it takes to add a chart and a page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from analytics.errors import AnalyticsError
from analytics.files import folder
from analytics.format import text
from analytics.report.columns import column
from analytics.report.site import build_site
from analytics.report.spec import read_page, read_pages
from tests.report import shown
from tests.report.expected import Choice, Reports, variants
from tests.report.pages import Page
from tests.report.test_files import ABOUT

PAGE = 'scope = "site"\ntitle = "Title"\nas_of = []\n'
PART = '[[section]]\nkey = "s"\ntitle = "S"\n[[section.part]]\nkey = "p"\ndata = "rpt_days"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scope = ", "Invalid value"),
        ('title = "Title"', "scope"),
        (PAGE.replace("site", "planet"), r"'planet' - at `\$.scope`"),
        (PAGE + 'colour = "red"\n', "colour"),
        (PAGE + PART + 'mark = "pie"\n', r"'pie' - at `\$.section\[0\].part\[0\].mark`"),
        (PAGE + PART + "limit = true\n", r"part\[0\].limit"),
        (PAGE + PART + "choosen = true\n", "choosen"),
        (PAGE + PART + 'draw = [{ value = "cost_usd", hue = 1 }]\n', "hue"),
        (PAGE + PART + PART.replace('"p"', '"q"'), "two parts are named s"),
        (PAGE + '[[section]]\nkey = "s"\ntitle = "S"\n[[section.part]]\nuse = "x"\n', "`x` is no"),
    ],
)
def test_a_wrong_specification_is_refused(text: str, told: str, tmp_path: Path) -> None:
    """The error names the file, and the field that is wrong."""
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(AnalyticsError, match=rf"reports/pages/wrong\.toml: .*{told}"):
        read_page(file)


def test_parts_read_columns_that_their_relations_have(published: Path) -> None:
    """Every column that a specification names is one of its relation's, or a total's."""
    reports = Reports(published / "analytics.duckdb")
    for page in read_pages().values():
        for part in page.parts:
            known = {*reports.columns(part.data), "month"}
            texts = [*part.columns, *(each.value for each in part.draw)]
            named = {name.rpartition(".")[2] for each in texts for name in column(each).figures}
            known |= {"tokens"} if "tokens_in" in known else set()
            known |= {"change_usd"} if "cost_usd" in known and part.chosen else set()
            assert {*named, *part.by} <= known, (page.name, part.key)
            for each in variants(part) if part.split else []:
                known = {*reports.columns(each.data), "tokens", "change_usd"}
                assert {*each.by, *each.columns} <= known, (page.name, part.key)


def test_a_heading_names_the_whole_row_of_which_it_tells() -> None:
    """Of rows by several keys, no heading names one key alone: others may share it."""
    followed = [part for page in read_pages().values() for part in page.parts if part.chosen]

    assert [
        part.key
        for part in followed
        if len(part.by) > 1
        and re.findall(r"\{first\.(\w+)\}", part.title) not in ([], ["label"], [*part.by])
    ] == []


def test_each_column_of_a_page_query_is_read(published: Path) -> None:
    """Each column of a page query is named by a page, by code, or by SQL that reads the query.

    Code that makes columns, or knows nothing of them, is none that reads them.
    """
    root = folder("queries").parent
    elsewhere = {root / "analytics" / name for name in ("transform", "emulator", "levain")}
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for place in ("analytics", "reports")
        for path in sorted((root / place).rglob("*"))
        if path.suffix in {".py", ".toml", ".js", ".html"} and elsewhere.isdisjoint(path.parents)
    )
    queries = [
        path.read_text(encoding="utf-8")
        for place in ("queries", "reports")
        for path in folder(place).rglob("*.sql")
    ]
    columns = Reports(published / "analytics.duckdb").rows("""
        select table_name, list(column_name) as names from duckdb_columns()
        where database_name = 'temp' group by all
    """)

    in_pages = [
        each for page in read_pages().values() for part in page.parts for each in part.columns
    ]
    in_code = {
        *re.findall(r"\w+", code),
        *(name for each in in_pages for name in column(each).figures),
    }
    for relation, names in (each.values() for each in columns):
        readers = " ".join(sql for sql in queries if f"reports.{relation}" in sql)
        assert {*names} - in_code - {*re.findall(r"\w+", readers)} == set(), relation


_QUERY = """
select workspace_id, agent_id, date, run_count as costly_count, cost_usd
from marts.fct_agent_days
where cost_usd >= 0.01
"""
_PAGE = """
scope = "workspace"
menu = "Costly days"
title = "Costly days: {month_run_count|plural:run} this month"
as_of = ["Data to {as_of|instant}."]
[[section]]
key = "costly"
title = "Costly days"
[[section.part]]
key = "by-day"
data = "costly_days"
chosen = true
mark = "column"
by = ["date"]
draw = [{ value = "cost_usd" }]
columns = ["date", "costly_count", "cost_usd"]
total = true
label = "Cost of costly days"
title = "{cost_usd|usd} on costly days in {period}"
subtitle = "Cost by day, US dollars, {span}."
"""


def test_a_page_is_added_by_two_files(published: Path, tmp_path: Path) -> None:
    """A query and a specification make a page, its data, and a chart that follows a choice."""
    specs, site = tmp_path / "pages", tmp_path / "site"
    shutil.copytree(folder("reports") / "pages", specs)
    (specs / "costly-days.toml").write_text(_PAGE, encoding="utf-8")
    site.mkdir()

    reports = Reports(published / "analytics.duckdb")
    reports.con.execute(f"create temp table costly_days as {_QUERY}")
    build_site(reports.con, site, about=ABOUT, pages=read_pages(specs))

    page = read_pages(specs)["costly-days"]
    for entity in reports.entities.of("workspace"):
        (of,) = shown.views([shown.asked(site, page.name, entity, [Choice().asked()])])
        rows, total = reports.chosen(page.parts[0], entity, Choice())
        table = of[0]["views"][0]["table"]
        assert len(table["rows"]) >= len(rows) > 1
        assert table["foot"][0][1]["value"] == str(total["costly_count"])
        title = text.fill("Costly days: {month_run_count|plural:run} this month", entity.row)
        assert Page(site / page.path(entity)).root.all("h1")[0].text == title
        (tabs,) = Page(site / entity.path).root.all("nav", **{"class": "tabs"})
        assert "Costly days" in tabs.text
