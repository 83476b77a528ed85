"""The grammar of pages of one's own, and the way charts show their columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from analytics.custom.files import UserFile
from analytics.custom.pages import (
    Chart,
    Drawn,
    PageError,
    UserPage,
    parse_chart,
    parse_pages,
    read_pages,
)
from analytics.custom.runner import Answer, Runner, UserQuery
from analytics.report.own_columns import ChartError, columns_of, planned, require_sums
from analytics.warehouse.confined import Limits

FEW = Limits(seconds=60, memory="100MB", rows=1_000)
FILE = "reports/pages/costs.sql"


def parsed(*texts: str) -> list[UserPage]:
    with Runner(FEW) as runner:
        files = [UserFile("page", FILE, "support_costs", text) for text in texts]
        return parse_pages(files, runner)


def declared(chart: str) -> Chart:
    return Chart("", 1, UserQuery(FILE, "costs-1", ""), parse_chart(1, chart))


def errors(*texts: str) -> list[str]:
    return [str(page.error).removeprefix(f"{FILE}:") for page in parsed(*texts)]


def test_a_page_says_its_group_its_title_and_its_charts() -> None:
    """Header lines stand before each SELECT, and errors keep the lines of the file."""
    (page,) = parsed(
        "-- Cost of one ticket,\n-- by agent\n-- page: Support / Cost per ticket\n"
        "-- chart: bar stacked, x month, y cost_usd, by agent_name\n"
        "-- line: 2026-11-01 new model\nselect 1;\n\n-- All days\n\nselect 2 -- a remark\n"
    )

    first, second = page.charts
    assert (page.group, page.title, page.error) == ("Support", "Cost per ticket", None)
    assert (first.heading, first.line) == ("Cost of one ticket, by agent", 4)
    assert first.drawn == Drawn("bar", True, "month", (("cost_usd",),), "agent_name")
    assert first.lines == ((date(2026, 11, 1), "new model"),)
    assert (second.heading, second.line, second.drawn) == ("All days", 10, Drawn())
    assert second.query.sql.split("\n")[9] == "select 2"


def test_a_page_without_header_lines_is_a_table_under_its_own_name() -> None:
    """The title is the file's name in words."""
    with_slash, plain = parsed("-- page: Costs\nselect 1", "select 1")

    assert (with_slash.group, with_slash.title) == ("Own pages", "Costs")
    assert (plain.group, plain.title) == ("Own pages", "Support costs")
    assert [chart.heading for chart in plain.charts] == [""]


@pytest.mark.parametrize(
    ("chart", "problem"),
    [
        ("pie, x a, y b", "there is no mark `pie`: say bar, column, line, interval or table"),
        ("bar", "`bar` needs an x and a y: `bar, x month, y cost_usd`"),
        ("bar staked, x a, y b", "`staked` means nothing after `bar`"),
        ("line stacked, x a, y b", "only bars and columns can be stacked"),
        ("bar stacked, x a, y b/c", "quotients cannot be stacked: their sum means nothing"),
        ("bar, x a, z b", "`z b` is none of `x COLUMN`, `y COLUMN` and `by COLUMN`"),
        ("bar, x a b, y c", "`x a b` is none of `x COLUMN`, `y COLUMN` and `by COLUMN`"),
        ("bar, x a/b, y c", "`a/b` is no name of a column: give it one of letters, digits and _"),
        ("bar, x a, x b, y c", "`x` stands twice"),
        ("bar, x a, y b, y c, by d", "`by` takes one y: write a SELECT for each y"),
        ("table, x a", "`table` takes no columns: it shows all"),
        (
            "interval, x a, y b",
            "`interval` shows one share: `interval, x agent_name, y failed_count/finished_count`",
        ),
    ],
)
def test_a_wrong_chart_is_named_with_its_remedy(chart: str, problem: str) -> None:
    """The grammar is small, and whatever is not in it is refused."""
    with pytest.raises(PageError) as caught:
        parse_chart(2, chart)
    assert (caught.value.line, str(caught.value)) == (2, problem)


def test_other_wrong_lines_are_named() -> None:
    """Each line is checked, and so is the file as a whole."""
    assert errors(
        "-- chrat: bar\nselect 1",
        "-- page: Support /\nselect 1",
        "-- line: tomorrow\nselect 1",
        "-- line: 2026-02-30 no day\nselect 1",
        "-- line: 2026-11-01 new\nselect 1",
        "-- chart: table\n-- line: 2026-11-01 new\nselect 1",
        "-- chart: table\n-- chart: table\nselect 1",
        "select 1;\n-- page: A / B\nselect 2",
        "-- nothing",
        "select 1;" * 21,
        "drop table x",
        "-- one\nselect 1;\nselect 'open",
    ) == [
        "1: there is no `chrat`: did you mean `chart`?",
        "1: `page` has no group or title: write `-- page: Group / Title`",
        "1: `line` is a day and a text: `-- line: 2026-11-01 new model`",
        "1: `line` is a day and a text: `-- line: 2026-11-01 new model`",
        *(
            f"{line}: `line` marks a day in a chart, and this SELECT has none: write"
            " `-- chart: line, x date, y COLUMN`, or delete the line"
            for line in (1, 2)
        ),
        "2: `chart` stands twice: a SELECT draws one chart",
        "2: `page` belongs to the top of the file",
        "1: it holds no SELECT",
        "1: it holds 21 SELECTs, and a page has at most 20",
        " DROP is refused: write one SELECT",
        "3: Parser Error: unterminated string literal",
    ]


def test_files_that_can_be_no_page_are_pages_with_an_error(tmp_path: Path) -> None:
    """Odd names, other encodings and links out of the project cost nothing but themselves."""
    folder = tmp_path / "reports" / "pages"
    folder.mkdir(parents=True)
    (folder / "good.sql").write_text("select 1")
    (folder / "Odd name.sql").write_text("select 1")
    (folder / "latin.sql").write_bytes(b"select '\xe4'")
    (folder / "link.sql").symlink_to("/etc/passwd")

    with Runner(FEW) as runner:
        pages, problems = read_pages(tmp_path, runner)

    assert problems == []
    assert {page.name: page.error for page in pages} == {
        "good": None,
        "Odd name": "reports/pages/Odd name.sql: call it by another name: a small letter, then at"
        " most 62 of a-z, 0-9 and _",
        "latin": "reports/pages/latin.sql: line 1 is not UTF-8",
        "link": "reports/pages/link.sql: it is a link that leads out of the project",
    }


def test_of_too_many_files_the_first_are_made(tmp_path: Path) -> None:
    """500 pages are made, and one line says so."""
    folder = tmp_path / "reports" / "pages"
    folder.mkdir(parents=True)
    for number in range(502):
        (folder / f"p{number:03}.sql").write_text("select 1")

    with Runner(FEW) as runner:
        pages, problems = read_pages(tmp_path, runner)

    assert [pages[0].name, pages[-1].name, len(pages)] == ["p000", "p499", 500]
    (problem,) = problems
    assert problem.startswith("reports/pages: it holds 502 files, and the first 500 are made:")


COLUMNS = (
    ("month", "DATE"),
    ("date", "TIMESTAMP"),
    ("agent_name", "VARCHAR"),
    ("cost_usd", "DECIMAL(38,10)"),
    ("sum(fct.cost_usd)", "DECIMAL(38,10)"),
    ("count(cost_usd)", "BIGINT"),
    ("failed_count", "BIGINT"),
    ("tokens_in", "HUGEINT"),
    ("failure_rate", "DOUBLE"),
    ("score", "DOUBLE"),
    ("year", "BIGINT"),
    ("seen_at", "TIMESTAMP WITH TIME ZONE"),
    ("is_ok", "BOOLEAN"),
)


def test_a_column_has_the_unit_of_its_name_and_type() -> None:
    """Names say money, counts and tokens, if the type is one of numbers."""
    units = {each.name: each.unit for each in columns_of(COLUMNS)}

    assert units == {
        "month": "month",
        "date": "day",
        "agent_name": "text",
        "cost_usd": "usd",
        "sum(fct.cost_usd)": "usd",
        "count(cost_usd)": "number",
        "failed_count": "count",
        "tokens_in": "tokens",
        "failure_rate": "share",
        "score": "number",
        "year": "text",
        "seen_at": "instant",
        "is_ok": "text",
    }


@pytest.mark.parametrize(
    ("chart", "problem"),
    [
        ("bar, x month, y cost", "there is no column `cost`: did you mean `cost_usd`?"),
        ("bar, x month, y zzz", "there is no column `zzz`: the SELECT has no such column"),
        ("bar, x month, y agent_name", "y `agent_name` is no number, but text"),
        (
            "bar, x month, y cost_usd, y score",
            "its y have different units: write a SELECT for each",
        ),
        (
            "interval, x month, y score/failed_count",
            "an interval is of whole numbers, and `score` is not whole",
        ),
    ],
)
def test_a_chart_of_other_columns_is_refused(chart: str, problem: str) -> None:
    """The problem says what the SELECT does not give."""
    with pytest.raises(ChartError) as caught:
        planned(declared(chart), columns_of(COLUMNS))
    assert str(caught.value) == f"{FILE}:1: {problem}"


def test_a_line_marks_days_alone() -> None:
    """A chart over names has no place for a day."""
    chart = replace(declared("bar, x agent_name, y cost_usd"), lines=((date(2026, 11, 1), "new"),))

    with pytest.raises(ChartError, match="marks a day, and x `agent_name` is no date"):
        planned(chart, columns_of(COLUMNS))


def test_floats_of_one_mark_are_not_added_up() -> None:
    """Rates of several rows have no sum, so that a chart of them is refused."""

    chart = declared("line, x month, y score")
    columns = (("month", "DATE"), ("score", "DOUBLE"))
    plan = planned(chart, columns_of(columns))
    frames = [pl.DataFrame({"c0": months, "c1": [0.5, 0.7]}) for months in (["a", "a"], ["a", "b"])]
    twice, once = (Answer(UserQuery("", "", ""), each, columns, None, 0) for each in frames)

    require_sums(chart, plan, once)
    with pytest.raises(ChartError, match="several rows have the same month"):
        require_sums(chart, plan, twice)
