"""`analytics sql` on a terminal: tables that fit, records where they do not, and the tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from analytics.query.tables import overview
from tests.cli.conftest import Command, FirstBatch, Terminal

WIDE = "select * from fct_runs order by created_at"
NARROW = "select agent_name, sum(cost_usd) as cost_usd from fct_runs group by agent_name"


@pytest.fixture(autouse=True)
def in_the_folder_of_the_first_batch(
    first_batch: FirstBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every query only reads, so the data are shared."""
    monkeypatch.chdir(first_batch.data.parent)


def test_what_is_too_wide_is_printed_by_row(terminal: Terminal, analytics: Command) -> None:
    """Each value of a row has a line, in which no name is cut and no value is lost.

    -x prints so what would fit; a pipe has a table.
    """
    lines = [line.rstrip() for line in terminal("sql", WIDE).out.splitlines()]
    columns = [line.split()[0] for line in lines[1 : lines.index("row 2")]]

    assert [line for line in lines if line.startswith("row ")] == ["row 1", "row 2", "row 3"]
    assert columns[:3] == ["workspace_id", "workspace_name", "run_id"]
    assert {"queue_seconds", "cost_usd", "is_terminal"} <= set(columns)
    assert ["cost_usd", "1.1000000000"] in [line.split() for line in lines]
    assert max(map(len, lines)) <= 80
    assert analytics("sql", "-x", NARROW).out.startswith("row 1\nagent_name  Baker")
    assert len(analytics("sql", WIDE).out.splitlines()) == 4


def test_long_cells_are_shortened_on_a_terminal(terminal: Terminal, analytics: Command) -> None:
    """What fits is a table; a cell has 200 characters at most, which is told, but for a pipe."""
    query = "select repeat('y', 5000) as x"
    note = "Long cells and fractions are shortened; -x or --format csv gives all of them."
    screen, piped = terminal("sql", query), analytics("sql", query)

    assert terminal("sql", NARROW).out.split() == [
        *("agent_name", "cost_usd", "Baker", "1.5000000000"),
    ]
    assert (screen.out.count("y"), screen.out.count("…"), note in screen.out) == (199, 1, True)
    assert piped.out.count("y") == 5000
    assert note not in piped.out + piped.err


def test_fractions_are_rounded_on_a_terminal_alone(terminal: Terminal, analytics: Command) -> None:
    """A rate has four places, a small one three digits; money, -x and pipes have all digits."""
    query = "select 2 / 37 as rate, 1 / 3e7 as small, 1.0500000001 as cost_usd"
    screen = terminal("sql", query).out.split()
    whole = ["0.05405405405405406", "3.3333333333333334e-08", "1.0500000001"]

    assert screen[3:6] == ["0.0541", "3.33e-08", "1.0500000001"]
    assert analytics("sql", query).out.split()[3:] == whole
    assert analytics("sql", query, "--format", "csv").out.split()[1] == ",".join(whole)
    records = terminal("sql", "-x", query).out.splitlines()
    assert [line.split()[-1] for line in records[1:4]] == whole
    short = terminal("sql", "select 0.25::double as rate, 1e22 as large, -0.5::double as less")
    assert short.out.split()[3:] == ["0.25", "1e+22", "-0.5"]


def test_records_are_inert_and_empty_ones_have_heads(analytics: Command) -> None:
    """Control characters are escaped by row too; without rows columns are shown, and "0 rows."."""
    hostile = analytics("sql", "-x", "select 'a' || chr(27) || '[31m[b]' as \"x\u202e\"")
    empty = [analytics("sql", *form, "select 1 as n where false") for form in ([], ["-x"])]

    assert hostile.out.split() == ["row", "1", "x\\u202e", "a\\x1b[31m[b]"]
    assert [(each.out.split(), each.err) for each in empty] == [(["n"], "0 rows.\n")] * 2


def test_records_are_of_tables_alone(analytics: Command) -> None:
    """--expanded with another format is an error, and no file is written."""
    result = analytics("sql", "-x", NARROW, "--output", "x.csv")

    assert (result.code, "--expanded is for a table, not for csv" in result.err) == (2, True)
    assert not Path("x.csv").exists()


def test_the_published_tables_are_listed(analytics: Command) -> None:
    """`--tables` has each table in its group: of what it has a row, and columns to know."""
    found = analytics("sql", "--tables", "--format", "json")
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        published = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    rows = {(row["schema"], row["table"]): row for row in json.loads(found.out)}

    assert rows.keys() == {*published}
    assert next(iter(rows.values())) == {
        "group": "What ran", "schema": "marts", "table": "fct_runs", "one_row_per": "run",
        "columns_to_know": overview()["What ran"]["marts.fct_runs"],
    }  # fmt: skip
    assert "Your own" not in {row["group"] for row in rows.values()}


def test_the_list_of_tables_fits_the_screen(terminal: Terminal, analytics: Command) -> None:
    """Each group and table begins a line, which is no wider than a terminal, nor than 100."""
    screen, piped = terminal("sql", "--tables").out, analytics("sql", "--tables").out

    for shown, width in ((screen, 80), (piped, 100)):
        begun = [line.split("  ") for line in shown.splitlines() if line.strip()]
        names = [parts[1] or parts[0] for parts in begun if len(parts) > 1 and parts[1]]
        assert {name.removeprefix("marts.") for group in overview().values() for name in group} <= {
            *names
        }
        assert {*overview()} <= {line.rstrip() for line in shown.splitlines()}
        assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("name", ["fct_runs", "marts.FCT_runs"])
def test_the_columns_of_a_table_are_told(analytics: Command, name: str) -> None:
    """`--tables NAME` has the comment of the table, and name, type and comment of each column."""
    shown = analytics("sql", "--tables", name).out
    rows = json.loads(analytics("sql", "--tables", name, "--format", "json").out)

    assert re.search(r"run_id +VARCHAR +Identifier of the run\.\s", shown)
    assert analytics("sql", "--tables", name).err.startswith("Listed runs as last read: ")
    names = [row["column"] for row in rows]
    assert names[:3] == ["workspace_id", "workspace_name", "run_id"]
    assert all(row["comment"] for row in rows)


def test_a_table_that_is_not_there_has_neighbours(analytics: Command) -> None:
    """A wrong name is refused with those most like it."""
    result = analytics("sql", "--tables", "marts.fct_run")

    assert (result.code, result.out) == (2, "")
    assert "There is no table marts.fct_run: `analytics sql --tables` shows all." in result.err
    assert "Did you mean fct_runs" in result.err
