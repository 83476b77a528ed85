"""The grammar of pages of one's own, and the way charts show their columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.bounded.runner import Answer, Runner, UserQuery
from analytics.project.files import UserFile
from analytics.project.pages import (
    Chart,
    Drawn,
    PageError,
    UserPage,
    parse_chart,
    parse_pages,
    read_pages,
)
from analytics.report.own_parts import ChartError, chosen, columns_of, look_of, part_of
from analytics.report.spec import Part

FILE = "reports/pages/costs.sql"


@pytest.fixture
def parsed(runner: Runner):
    """Return the pages that files of these texts make."""

    def parsed(*texts: str) -> list[UserPage]:
        files = [UserFile("page", FILE, "support_costs", text) for text in texts]
        return parse_pages(files, runner)

    return parsed


def declared(chart: str) -> Chart:
    return Chart("", 1, UserQuery(FILE, "costs-1", ""), parse_chart(1, chart))


def test_a_page_says_its_group_its_title_and_its_charts(parsed) -> None:
    """Header lines stand before each SELECT, and errors keep the lines of the file.

    Without any, a page is a table, and its title the file's name in words.
    """
    page, with_slash, plain = parsed(
        "-- Cost of one ticket,\n-- by agent\n-- page: Support / Cost per ticket\n"
        "-- chart: bar, x month, y cost_usd, by agent_name\n"
        "-- line: 2026-11-01 new model\nselect 1;\n\n-- All days\n\nselect 2 -- a remark\n",
        "-- page: Costs\nselect 1",
        "select 1",
    )

    first, second = page.charts
    assert (page.group, page.title, page.error) == ("Support", "Cost per ticket", None)
    assert (first.heading, first.line) == ("Cost of one ticket, by agent", 4)
    assert first.drawn == Drawn("bar", "month", (("cost_usd",),), "agent_name")
    assert first.lines == ((date(2026, 11, 1), "new model"),)
    assert (second.heading, second.line, second.drawn) == ("All days", 10, Drawn())
    assert second.query.sql.split("\n")[9] == "select 2"
    assert (with_slash.group, with_slash.title) == ("Own pages", "Costs")
    assert (plain.title, [chart.heading for chart in plain.charts]) == ("Support costs", [""])


@pytest.mark.parametrize(
    ("chart", "problem"),
    [
        ("pie, x a, y b", "there is no mark `pie`: say bar, column, line, interval or table"),
        ("bar", "`bar` needs an x and a y: `bar, x month, y cost_usd`"),
        ("bar stacked, x a, y b", "`stacked` means nothing after `bar`"),
        ("bar, x a, y b/c, by d", "quotients on top of each other mean nothing: draw a `line`"),
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


NO_DAYS = (
    "`line` and `look` are of a chart, and this SELECT has none: write"
    " `-- chart: line, x date, y COLUMN`, or delete them"
)
NO_LINE = "`line` is a day and a text: `-- line: 2026-11-01 new model`"
WRONG = {
    "-- chrat: bar\nselect 1": "1: there is no `chrat`: did you mean `chart`?",
    "-- page: Support /\nselect 1": (
        "1: `page` has no group or title: write `-- page: Group / Title`"
    ),
    "-- line: tomorrow\nselect 1": f"1: {NO_LINE}",
    "-- line: 2026-02-30 no day\nselect 1": f"1: {NO_LINE}",
    "-- line: 2026-11-01 new\nselect 1": f"1: {NO_DAYS}",
    "-- chart: table\n-- line: 2026-11-01 new\nselect 1": f"2: {NO_DAYS}",
    "-- look: {}\nselect 1": f"1: {NO_DAYS}",
    "-- look: {}\n-- look: {}\nselect 1": "2: `look` stands twice: write one object",
    "-- chart: table\n-- chart: table\nselect 1": (
        "2: `chart` stands twice: a SELECT draws one chart"
    ),
    "select 1;\n-- page: A / B\nselect 2": "2: `page` belongs to the top of the file",
    "-- nothing": "1: it holds no SELECT",
    "select 1;" * 21: "1: it holds 21 SELECTs, and a page has at most 20",
    "drop table x": " DROP is refused: write one SELECT",
    "-- one\nselect 1;\nselect 'open": "3: Parser Error: unterminated string literal",
}


def test_other_wrong_lines_are_named(parsed) -> None:
    """Each line is checked, and so is the file as a whole."""
    pages = parsed(*WRONG)

    assert [str(page.error) for page in pages] == [f"{FILE}:{told}" for told in WRONG.values()]


def test_files_that_can_be_no_page_cost_only_themselves(tmp_path: Path, runner: Runner) -> None:
    """A file that is refused is a page with its error; of too many files 500 are made."""
    folder = tmp_path / "reports" / "pages"
    folder.mkdir(parents=True)
    for name in ("good", "Odd name"):
        (folder / f"{name}.sql").write_text("select 1")
    few = read_pages(tmp_path, runner)
    for number in range(500):
        (folder / f"p{number:03}.sql").write_text("select 1")
    many, (problem,) = read_pages(tmp_path, runner)

    assert ([page.name for page in few[0]], few[1]) == (["good", "Odd name"], [])
    assert str(few[0][1].error).startswith("reports/pages/Odd name.sql: call it by another name:")
    assert len(many) == 500
    assert problem.startswith("reports/pages: it holds 502 files, and the first 500 are made:")


UNITS = {
    ("month", "DATE"): "month",
    ("date", "TIMESTAMP"): "day",
    ("agent_name", "VARCHAR"): "text",
    ("cost_usd", "DECIMAL(38,10)"): "usd",
    ("sum(fct.cost_usd)", "DECIMAL(38,10)"): "usd",
    ("count(cost_usd)", "BIGINT"): "count",
    ("failed_count", "BIGINT"): "count",
    ("tokens_in", "HUGEINT"): "tokens",
    ("failure_rate", "DOUBLE"): "share",
    ("score", "DOUBLE"): "decimal",
    ("usage_month", "DATE"): "month",
    ("year", "BIGINT"): "text",
    ("seen_at", "TIMESTAMP WITH TIME ZONE"): "instant",
    ("is_ok", "BOOLEAN"): "text",
}


def test_a_column_has_the_unit_of_its_name_and_type() -> None:
    """Names say money, counts and tokens, if the type is one of numbers."""
    assert [each.unit for each in columns_of(tuple(UNITS))] == [*UNITS.values()]


@pytest.mark.parametrize(
    ("chart", "problem"),
    [
        ("bar, x month, y cost", "there is no column `cost`: did you mean `cost_usd`?"),
        ("bar, x month, y zzz", "there is no column `zzz`: the SELECT has no such column"),
        ("bar, x month, y agent_name", "y `agent_name` is no number, but text"),
        (
            "bar, x year, y cost_usd, y score",
            "its y have different units: write a SELECT for each",
        ),
        ("line, x year, y score", "x of a `line` is a day or a month: write `bar`"),
        (
            "interval, x month, y score/failed_count",
            "an interval is of whole numbers, and `score` is not whole",
        ),
    ],
)
def test_a_chart_of_other_columns_is_refused(chart: str, problem: str) -> None:
    """The problem says what the SELECT does not give."""
    with pytest.raises(ChartError) as caught:
        chosen(declared(chart), columns_of(tuple(UNITS)))
    assert str(caught.value) == f"{FILE}:1: {problem}"


def test_a_look_is_part_of_the_layout() -> None:
    """The engine gets the layout that a chart declares; a key that it may not set is named."""
    chart = declared("bar, x agent_name, y cost_usd")

    assert look_of(replace(chart, look=(2, '{"bargap": 0.4}'))) == {"bargap": 0.4}
    with pytest.raises(ChartError, match=r":2: `images` cannot be set"):
        look_of(replace(chart, look=(2, '{"images": []}')))


def test_a_line_marks_days_alone() -> None:
    """A chart over names has no place for a day."""
    chart = replace(declared("bar, x agent_name, y cost_usd"), lines=((date(2026, 11, 1), "new"),))

    with pytest.raises(ChartError, match="marks a day, and x `agent_name` is no date"):
        chosen(chart, columns_of(tuple(UNITS)))


def drawn(chart: str, **columns: tuple[str, list[object]]) -> tuple[Part, dict[str, object]]:
    """Return the part and the rows that the engine has of an answer: a type and values by name."""
    types = tuple((name, sql_type) for name, (sql_type, _) in columns.items())
    rows = tuple(map(list, zip(*(values for _, values in columns.values()), strict=True)))
    return part_of("p", declared(chart), "T", Answer(UserQuery("", "", ""), types, rows))


def test_numbers_are_whole_units_and_what_is_none_is_unknown() -> None:
    """Money and decimals are in 10^-10, of every digit that has a place; large ones are texts."""
    part, rows = drawn(
        "table",
        cost_usd=("DECIMAL(38,20)", ["1.00000000005", "0.00000000015", "98765432109.1", None]),
        hours=("DOUBLE", [0.5, float("nan"), 1e20, -0.25]),
        run_count=("HUGEINT", ["12345678901234567890", "3", None, "0"]),
        duration_seconds=("DOUBLE", [1.25, None, 0.5, float("inf")]),
        failure_rate=("DOUBLE", [0.25, None, 1.0, 0.0]),
        seen_on=("DATE", ["2026-11-01", "infinity", None, "2026-11-02"]),
    )

    assert rows == {
        "c0_count": [10_000_000_000, 2, "987654321091000000000", None],
        "c1_value": [5_000_000_000, None, "1000000000000000000000000000000", -2_500_000_000],
        "c2_count": ["12345678901234567890", 3, None, 0],
        "c3_value": [1.25, None, 0.5, None],
        "c4_value": [2_500_000_000, None, 10_000_000_000, 0],
        "c4_per": [10_000_000_000] * 4,
        "c5": {"keys": ["2026-11-01", "infinity", None, "2026-11-02"]},
    }
    assert [each.split("|")[:2] for each in part.columns] == [
        ["c0_count", "usd"], ["c1_value", "decimal"], ["c2_count", "count"],
        ["c3_value", "seconds"], ["c4_value/c4_per", "percent"], ["c5", "text"],
    ]  # fmt: skip


def test_rows_are_told_by_identifiers_and_follow_a_choice() -> None:
    """A name takes its page from its identifier; what x is, is the day that a period chooses."""
    part, rows = drawn(
        "line, x started_on, y cost_usd/run_count, by agent_name",
        date=("DATE", ["2026-10-01", "2026-10-01"]),
        started_on=("DATE", ["2026-11-02", "2026-11-01"]),
        agent_name=("VARCHAR", ["A", "B"]),
        AGENT_ID=("VARCHAR", ["a", "b"]),
        workspace_id=("VARCHAR", ["w", "w"]),
        cost_usd=("DECIMAL(38,10)", ["1.5", None]),
        run_count=("BIGINT", [2, 3]),
    )

    assert (part.by, part.stack, part.span) == (
        ("date",),
        ("agent_id",),
        ("2026-11-01", "2026-11-02"),
    )
    assert rows["member"] == {"keys": ["w\na", "w\nb"]}
    assert (rows["y0_count"], rows["y0_per_count"]) == ([15_000_000_000, None], [2, None])
    assert part.draw[0].value == "y0_count/y0_per_count|each"
    assert part.subtitle == "Without 1 row of an unknown part."
    assert [each.split("|")[0] for each in part.columns] == [
        "c0", "date", "agent_id", "workspace_id", "c5_count", "c6_count",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("y", "drawn_as"),
    [
        ("cost_usd/hours", "each"), ("run_count/cost_usd", "number"),
        ("run_count/small_count", "number"),
        ("small_count/run_count", "percent"), ("wait_seconds/run_count", "seconds"),
        ("tokens_in/run_count", "tokens"),
    ],
)  # fmt: skip
def test_a_quotient_has_the_unit_of_its_parts(y: str, drawn_as: str) -> None:
    """Parts that are not whole are in units of 10^-10 both, which cancels out."""
    part, rows = drawn(
        f"bar, x name, y {y}",
        name=("VARCHAR", ["a"]),
        cost_usd=("DECIMAL(38,10)", ["3"]),
        hours=("DECIMAL(4,2)", ["1.5"]),
        run_count=("BIGINT", [4]),
        small_count=("BIGINT", [1]),
        wait_seconds=("DECIMAL(4,1)", ["6"]),
        tokens_in=("BIGINT", [100]),
    )
    (value,) = (each.value for each in part.draw)
    above, below = (Decimal(str(rows[f"y0_{end}"][0])) for end in ("count", "per_count"))  # type: ignore[index]
    known = {
        "cost_usd": 3,
        "hours": 1.5,
        "run_count": 4,
        "small_count": 1,
        "wait_seconds": 6,
        "tokens_in": 100,
    }
    expected = known[y.split("/")[0]] / known[y.split("/")[1]]

    assert value == f"y0_count/y0_per_count|{drawn_as}"
    assert float(above / below) == pytest.approx(expected * (10**10 if drawn_as == "each" else 1))


def test_values_of_other_units_have_panels_of_their_own() -> None:
    """Lines of one unit share a panel; columns never stand before each other."""
    days = ("DATE", ["2026-11-02"])
    usd, count = ("DECIMAL(38,10)", ["1"]), ("BIGINT", [1])
    for mark, panels in (("column", [1, 2, 3]), ("line", [1, 1, 2])):
        chart = f"{mark}, x date, y a_usd, y b_usd, y c_count"
        part, _ = drawn(chart, date=days, a_usd=usd, b_usd=usd, c_count=count)
        assert [each.panel for each in part.draw] == panels


def test_floats_of_one_mark_are_not_added_up() -> None:
    """Rates of several rows have no sum, so that a chart of them is refused."""

    chart = declared("line, x month, y score")
    columns = (("month", "DATE"), ("score", "DOUBLE"))
    rows = ([["a", 0.5], ["a", 0.7]], [["a", 0.5], ["b", 0.7]])
    twice, once = (Answer(UserQuery("", "", ""), columns, tuple(each)) for each in rows)

    assert chosen(chart, columns_of(columns), once.frame)
    with pytest.raises(ChartError, match="several rows have the same month"):
        chosen(chart, columns_of(columns), twice.frame)
