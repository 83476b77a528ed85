"""Queries of users run apart from the batch, and each is bounded."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.custom import runner
from analytics.custom.runner import Answer, Runner, UserQuery
from analytics.warehouse.confined import Limits

FEW = Limits(seconds=60, memory="100MB", rows=1_000)
TOO_SLOW = "was stopped after 0.5 s: ask for less, or raise timeout_seconds in [sql]"
TOO_BIG = "needs more memory or disk than 100MB: ask for less"


def queries(*texts: str) -> list[UserQuery]:
    return [UserQuery("queries/adhoc/q.sql", f"q{n}", text) for n, text in enumerate(texts)]


def answers(database: Path, *texts: str, limits: Limits = FEW) -> list[Answer]:
    with Runner(limits) as runner:
        return list(runner.run(database, queries(*texts)))


def errors(database: Path, *texts: str) -> list[str | None]:
    return [answer.error for answer in answers(database, *texts)]


def test_rows_keep_their_exact_types(database: Path) -> None:
    """Decimals keep every digit."""
    (answer,) = answers(database, "select cost_usd from fct_agent_days order by 1 limit 1")

    assert answer.error is None
    assert answer.frame is not None
    assert answer.frame.rows() == [(Decimal("1.1000000000"),)]


def test_answers_come_in_the_order_of_the_queries(database: Path) -> None:
    """Each query has its answer, whatever happened to the one before."""
    found = answers(database, "select 1", "select nope", "select 3")

    assert [answer.query.name for answer in found] == ["q0", "q1", "q2"]
    assert [answer.frame is None for answer in found] == [False, True, False]


def test_all_published_schemas_and_macros_are_on_the_path(database: Path) -> None:
    """A table needs no schema in front of it, and may have one."""
    texts = (
        "from fct_agent_days, check_results, targets",
        "from marts.fct_agent_days, custom.targets",
        "select doubled(2), marts.doubled(3)",
    )

    assert errors(database, *texts) == [None, None, None]


def test_an_error_names_file_and_line_in_one_line(database: Path) -> None:
    """The line is that of the file, whether the query failed before its first row or after."""
    found = errors(
        database,
        "-- A claim\nselect agent_id,\n  nope\nfrom fct_agent_days",
        "-- A claim\nselect\n  agent_id::int\nfrom fct_agent_days",
        "select 1\nfrom nowhere;",
        "select '",
    )

    places = [str(error).split(" Error: ")[0] for error in found]
    assert places == [
        "queries/adhoc/q.sql:3: Binder",
        "queries/adhoc/q.sql:3: Conversion",
        "queries/adhoc/q.sql:2: Catalog",
        "queries/adhoc/q.sql:1: Parser",
    ]
    assert not any("\n" in str(error) for error in found)


@pytest.mark.parametrize(
    "text",
    [
        "copy (select 1) to 'made.csv'",
        "attach 'made.duckdb'",
        "install httpfs",
        "load httpfs",
        "pragma version",
        "set memory_limit = '1TB'",
        "create table made as select 1",
        "delete from fct_agent_days",
        "call enable_profiling()",
        "explain analyze copy (select 1) to 'made.csv'",
        "checkpoint",
        "select 1; select 2",
        "",
        "-- a comment",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select content from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "from query('copy (select 1) to ''made.csv''')",
        "select json_execute_serialized_sql(json_serialize_sql('select 1'))",
        "/*/**/ explain select 1 -- */ select * from duckdb_settings()",
        "show memory_limit",
        "from histogram(pg_settings, name)",
    ],
)
def test_a_query_reads_the_published_tables_alone(text: str, database: Path) -> None:
    """Anything but one SELECT of tables is an error, and no file is made."""
    before = database.read_bytes()
    refused, fine = errors(database, text, "select count(*) from fct_agent_days")

    assert refused
    assert fine is None
    assert database.read_bytes() == before
    assert not list(Path.cwd().iterdir())


def test_a_query_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs queries has no variable of ours."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_key_of_a_test")
    child = runner._child()
    environment = Path(f"/proc/{child._process.pid}/environ").read_bytes()
    child.close()

    assert b"levain_key" not in environment


@pytest.mark.parametrize(
    "text",
    [
        "with recursive /* endless */ t as (select 1 union all from t) select count(*) from t",
        "select /* endless */ sum(a.range % (b.range + 1)) from range(1000000) a, range(1000000) b",
        "select /* endless */ levenshtein(repeat('a', 200000), repeat('b', 200000))",
    ],
)
@pytest.mark.usefixtures("little_time")
def test_an_endless_query_is_stopped(text: str, database: Path) -> None:
    """It is stopped at the time limit, and the next one runs."""
    slow, fine = answers(database, text, "select 1")

    assert str(slow.error).endswith(TOO_SLOW)
    assert fine.error is None


@pytest.mark.usefixtures("little_time")
def test_a_query_that_hears_no_interrupt_is_killed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ends with it, and the next query has a new one."""
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.1)
    with Runner(FEW) as running:
        deaf = running._child = runner._child()
        os.kill(deaf._process.pid, signal.SIGSTOP)
        slow, fine = running.run(database, queries("select /* endless */ 1", "select 2"))

    assert str(slow.error).endswith(TOO_SLOW)
    assert deaf.exit_code is not None
    assert fine.error is None


@pytest.mark.parametrize(
    "text",
    [
        "select array_agg(range) from range(10000000000)",
        "select string_agg(range::varchar) from range(10000000000)",
        "select list(range(0, 2000000000))",
        "select length(repeat('x', 2000000000))",
        "select repeat('x', 1000000) from range(1000)",
        "select sum(range) from range(10000000000) group by range // 2 order by random()",
    ],
)
def test_a_query_cannot_take_all_memory_or_disk(text: str, database: Path) -> None:
    """It ends with the name of the limit, and the next one runs."""
    big, fine = errors(database, text, "select 1")

    assert str(big).endswith((TOO_BIG, FEW.too_slow))
    assert fine is None


def test_a_query_has_only_so_many_rows(database: Path) -> None:
    """One row more than the limit is an error, not a part of the rows."""
    whole, longer = answers(database, "from range(1000)", "from range(1001)")

    assert whole.frame is not None
    assert whole.frame.height == 1_000
    assert "has more than 1,000 rows" in str(longer.error)


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 20_000 + "1" + ")" * 20_000,
        "select " + "not " * 50_000 + "true",
        "select 1" + " + 1" * 200_000,
        "select (" * 20_000,
        "select " + "[" * 20_000 + "]" * 20_000,
        "select " + "case when true then " * 5_000 + "1" + " end" * 5_000,
    ],
)
def test_a_deeply_nested_query_costs_only_itself(text: str, database: Path) -> None:
    """The parser's limit, or its crash, is the error of this query alone."""
    deep, fine = errors(database, text, "select 1")

    assert deep
    assert fine is None


def test_a_crash_is_told() -> None:
    """A process that ends on its own is an error that names the signal."""
    child = runner._child()
    os.kill(child._process.pid, signal.SIGSEGV)

    reply = runner._reply(child, {}, FEW)

    assert reply["error"] == (
        "it ended the process that ran it (SIGSEGV): write it in a simpler way"
    )
    assert child.exit_code is not None


def test_values_that_python_lacks_are_texts(database: Path) -> None:
    """A day, an instant or a type that only DuckDB has is text as DuckDB writes it."""
    texts = {
        "date '9999-12-31' + 1": "10000-01-01",
        "date '0044-03-15 (BC)'": "0044-03-15 (BC)",
        "timestamp 'infinity'": "infinity",
        "timestamptz '-infinity'": "-infinity",
        "timestamptz '2026-11-20 05:00:00.1Z'": "2026-11-20 05:00:00.1 UTC",
        "{'at': timestamp 'infinity'}": "{'at': infinity}",
        "[date 'infinity']": "[infinity]",
        "time '24:00:00'": "24:00:00",
        "interval 1 day": "1 day",
        "'101'::bit": "101",
        "123::bignum": "123",
        "1::variant": "1",
        "170141183460469231731687303715884105727::hugeint": f"{2**127 - 1}",
    }
    (answer,) = answers(database, f"select {', '.join(texts)}")

    assert answer.error is None
    assert answer.frame is not None
    assert answer.frame.rows() == [tuple(texts.values())]


def test_tables_are_made_in_files_of_their_own(database: Path, tmp_path: Path) -> None:
    """Each has all rows, with DuckDB's own types; one that fails leaves the others."""
    own = tmp_path / "own.duckdb"
    with duckdb.connect(own) as con:
        con.execute("create schema custom; create table custom.factors as select 3 as factor")
    texts = (
        "select n * factor as n, interval 1 day as i from range(2000) as r (n), factors",
        "from targets",
    )
    with Runner(FEW) as runner:
        making = runner.make(database, queries(*texts), own)
        good = next(making)
        with duckdb.connect(good.file, read_only=True) as con:
            made = con.execute("select count(*), max(n), any_value(typeof(i)) from result")
            assert made.fetchall() == [(2_000, 5_997, "INTERVAL")]
        bad = next(making)

    assert (good.rows, good.error) == (2_000, None)
    assert "targets does not exist" in str(bad.error)


def test_statements_keep_their_lines_and_tell_what_they_read() -> None:
    """Each stands alone, on its own line, and reads no common table expression."""
    texts = (
        "select 'é;--';\nwith c as (from a) from c, custom.b; /* é */ ;\n-- the end;\n",
        "from a; drop table a",
    )
    with Runner(FEW) as runner:
        parsed, broken = runner.parse(queries(*texts))

    assert parsed.statements == ("select 'é;--'", "\nwith c as (from a) from c, custom.b")
    assert parsed.reads == (frozenset(), frozenset({("", "a"), ("custom", "b")}))
    assert "DROP is refused" in str(broken.error)


def test_a_query_is_bound_without_running(database: Path) -> None:
    """Its columns and types are known at once, however long it would run."""
    endless = "select range as n from range(10000000000000) where range < 0"
    with Runner(FEW) as runner:
        bound, unbound = runner.bind(database, queries(endless, "select x from targets"))

    assert bound.columns == {"n": "BIGINT"}
    assert ":1: Binder Error" in str(unbound.error)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("512 MiB", 512 << 20), ("1.5TB", 15 * 10**11)],
)
def test_memory_is_read_as_duckdb_reads_it(text: str, size: int) -> None:
    """GB are powers of ten, GiB powers of two."""
    assert Limits(memory=text).memory_bytes == size
