"""A PIVOT whose columns come from the data: DuckDB's own answer, from one text that was judged."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from analytics.errors import UsageError
from analytics.query.sandbox import parsed

TABLE = """
    create table t as
    from (values
        (date '2026-01-02', 1, 10, null, 1.50),
        (date '2026-01-01', 2, 2, $$q') using sum(n); drop table t --$$, 2.5),
        (date '2026-01-01', 1, 9, 'é', 1.5)
    ) as _(d, k, n, s, m)
"""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a table, which a value tries to drop."""
    with duckdb.connect() as con:
        con.execute(TABLE)
        yield con


@pytest.mark.parametrize(
    "sql",
    [
        "pivot t on d using sum(n)",
        "PIVOT t ON n USING sum(m) AS a, count(*) GROUP BY k ORDER BY k;",
        "pivot t on s",
        "pivot t on m, n > 5 using sum(n) group by k -- on x",
        "with a as (from t where n > 2) pivot a on s using sum(n)",
        "pivot (from t) on date_trunc('month', d), k in (1, 2) using sum(n)",
        "pivot/* a on */(from t) on -- on s,\n [k, n] -- é\n using sum(n)",
        "pivot t join (select 1 as k, 'one' as name) using (k) on \"name\" using sum(n)",
        "pivot_wider t on s || 'é', (case when k in (1, 2) then ',' end) using sum(n) limit 1",
    ],
)
def test_columns_are_those_of_the_data(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """The text that is run is one SELECT, and has the columns and rows of DuckDB's PIVOT."""
    text = parsed(con, sql)
    (statement,) = con.extract_statements(text)
    ours, theirs = con.sql(text), con.sql(sql)

    assert statement.type == duckdb.StatementType.SELECT
    assert (ours.columns, ours.order("all").fetchall()) == (
        theirs.columns, theirs.order("all").fetchall(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("from (pivot t on s using sum(n))", r"list its values: PIVOT t ON x IN \('a', 'b'\)"),
        ("explain pivot t on s", "list its values"),
        ("create table x as pivot t on s", "can only be read"),
        ("pivot t on s in (select 'é') using sum(n)", "list its values"),
        ("pivot t join t as u on t.k = u.k on s using sum(n)", "list its values"),
        ("pivot t on s; drop table t", "One statement is expected"),
        ("with a as (delete from t returning *) pivot a on s", "DELETE within a SELECT is refused"),
        ("pivot (from range(2000)) on range", "more than 1,000 columns"),
        ("pivot (from t where false) on s", "PIVOT makes no column of the values"),
    ],
)
def test_another_statement_of_several_parts_is_refused(
    con: duckdb.DuckDBPyConnection, sql: str, words: str
) -> None:
    """What is no PIVOT of its own, or makes a thousand columns, is refused with a way out."""
    with pytest.raises(UsageError, match=words):
        parsed(con, sql)
    assert con.execute("select count(*) from t").fetchone() == (3,)
