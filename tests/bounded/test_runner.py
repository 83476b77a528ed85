"""Queries of users run apart from the batch, and each is bounded."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.bounded import runner as module
from analytics.bounded.runner import Answer, Runner, UserQuery
from analytics.errors import AnalyticsError
from analytics.warehouse.memory import bytes_of
from tests.bounded.conftest import FEW

TOO_SLOW = ("was stopped after 0.5 s: ask for less, or raise timeout_seconds in [sql]",)
TOO_BIG = ("needs more memory or disk than 100MB: ask for less", FEW.too_slow)


def queries(*texts: str) -> list[UserQuery]:
    return [UserQuery("queries/adhoc/q.sql", f"q{n}", text) for n, text in enumerate(texts)]


@pytest.fixture
def ask(runner: Runner, database: Path):
    """Ask queries of the small file; their answers in the order of the queries."""

    def ask(*texts: str) -> list[Answer]:
        return [runner.run(database, query) for query in queries(*texts)]

    return ask


def rows(answer: Answer) -> list[list[object]]:
    assert answer.error is None
    return answer.amounts


def test_each_query_has_its_exact_answer(ask) -> None:
    """Decimals keep every digit; macros and tables of all schemas are there, with it or without."""
    exact, wrong, *others = ask(
        "select cost_usd from fct_agent_days order by 1 limit 1",
        "select nope",
        "from fct_agent_days, check_results, targets",
        "from marts.fct_agent_days, custom.targets",
        "select doubled(2), marts.doubled(3)",
    )

    assert rows(exact) == [[Decimal("1.1000000000")]]
    assert wrong.rows == ()
    assert [(each.query.name, each.error) for each in others] == [
        ("q2", None), ("q3", None), ("q4", None),
    ]  # fmt: skip


def test_an_error_names_file_and_line_in_one_line(ask) -> None:
    """The line is that of the file, whether the query failed before its first row or after."""
    errors = [
        str(answer.error).removeprefix("queries/adhoc/q.sql:")
        for answer in ask(
            "-- A claim\nselect agent_id,\n  nope\nfrom fct_agent_days",
            "-- A claim\nselect\n  agent_id::int\nfrom fct_agent_days",
            "select 1\nfrom nowhere;",
            "select '",
        )
    ]

    places = [error.split(" Error: ")[0] for error in errors]
    assert places == ["3: Binder", "3: Conversion", "2: Catalog", "1: Parser"]
    assert not any("\n" in error for error in errors)


HOSTILE = {
    "select 1; select 2": "",
    "select * from '/etc/passwd'": "",
    "select " + "(" * 20_000 + "1" + ")" * 20_000: "",
    "select " + "not " * 50_000 + "true": "",
    "select 1" + " + 1" * 200_000: "",
    "with recursive /* endless */ t as (select 1 union all from t) select sum(1) from t": TOO_SLOW,
    "select /* endless */ levenshtein(repeat('a', 200000), repeat('b', 200000))": TOO_SLOW,
    "select array_agg(range) from range(10000000000)": TOO_BIG,
    "select length(repeat('x', 2000000000))": TOO_BIG,
    "select repeat('x', 30000) from range(900)": ("it is larger than 20MB: ask for less",),
    "select repeat('\N{BRAIN}', 7500) from range(900)": ("it is larger than 20MB: ask for less",),
}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.usefixtures("little_time")
def test_a_hostile_query_costs_only_itself(text: str, ask, database: Path) -> None:
    """It is refused, stopped, or ends its process; no file is made or changed; the next one runs.

    Only one SELECT of published tables is allowed, within limits of time, memory and disk.
    """
    before = database.read_bytes()
    bad, fine = ask(text, "select count(*) from fct_agent_days")

    assert bad.error
    assert bad.error.endswith(HOSTILE[text])
    assert rows(fine) == [[3]]
    assert database.read_bytes() == before
    assert not list(Path.cwd().iterdir())


def test_a_query_has_only_so_many_rows(ask) -> None:
    """One row more than the limit is an error, not a part of the rows."""
    whole, longer = ask("from range(1000)", "from range(1001)")

    assert len(rows(whole)) == 1_000
    assert "has more than 1,000 rows" in str(longer.error)


def test_a_query_sees_no_environment(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    """The process that runs queries has no variable of ours."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_key_of_a_test")
    with Runner(FEW) as running:
        running.run(database, *queries("select 1"))
        environment = Path(f"/proc/{running._child.process.pid}/environ").read_bytes()

    assert environment == f"PYTHONPATH={Path(module.__file__).parents[2]}\0".encode()


@pytest.mark.usefixtures("little_time")
def test_a_query_that_hears_nothing_is_killed(database: Path) -> None:
    """Its process ends with it, and the next query has a new one."""
    with Runner(FEW) as running:
        endless, other = queries("select /* endless */ 1", "select 2")
        running.run(database, other)
        deaf = running._child
        os.kill(deaf.process.pid, signal.SIGSTOP)
        slow, fine = running.run(database, endless), running.run(database, other)

    assert str(slow.error).endswith(TOO_SLOW)
    assert deaf.process.returncode == -signal.SIGKILL
    assert fine.error is None


def test_a_crash_is_told(database: Path) -> None:
    """A process that ends on its own is an error that names the signal."""
    (query,) = queries("select 1")
    with Runner(FEW) as running:
        running.run(database, query)
        os.kill(running._child.process.pid, signal.SIGSEGV)
        crashed = running.run(database, query)

    ended = "it ended the process that ran it (SIGSEGV): write it in a simpler way"
    assert crashed.error == f"queries/adhoc/q.sql: {ended}"


KILLED = """
import sys
from pathlib import Path
from analytics.bounded.runner import Runner, UserQuery
from analytics.bounded.limits import Limits
with Runner(Limits(seconds=3600)) as running:
    running.run(Path(sys.argv[1]), UserQuery("", "", "select 1"))
    print(running._child.process.pid, flush=True)
    endless = "select sum(a.range) from range(1000000000) as a, range(1000000000)"
    running.run(Path(sys.argv[1]), UserQuery("", "", endless))
"""


def test_a_process_ends_with_the_one_that_started_it(database: Path) -> None:
    """However that one ends, and in the middle of a query."""
    command = [sys.executable, "-c", KILLED, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        child = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
        ended, _, _ = select.select([child], [], [], 60)
    os.close(child)

    assert ended == [child]


def test_a_process_that_does_not_start_is_told(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the command that shows why."""
    monkeypatch.setattr(module, "_CHILD", "analytics.nowhere")
    with Runner(FEW) as running, pytest.raises(AnalyticsError, match=r"-m analytics\.nowhere"):
        running.run(database, *queries("select 1"))


def test_values_that_python_lacks_are_texts(ask) -> None:
    """A day, an instant or a type that only DuckDB has is text as DuckDB writes it."""
    texts = {
        "date '9999-12-31' + 1": "10000-01-01",
        "date '0044-03-15 (BC)'": "0044-03-15 (BC)",
        "timestamp 'infinity'": "infinity",
        "timestamptz '-infinity'": "-infinity",
        "timestamptz '2026-11-20 05:00:00.1Z'": "2026-11-20T05:00:00.1Z",
        "{'at': timestamp 'infinity'}": "{'at': infinity}",
        "[date 'infinity']": "[infinity]",
        "time '24:00:00'": "24:00:00",
        "interval 1 day": "1 day",
        "'101'::bit": "101",
        "123::bignum": "123",
        "1::variant": "1",
        "170141183460469231731687303715884105727::hugeint": f"{2**127 - 1}",
    }
    (answer,) = ask(f"select {', '.join(texts)}")

    assert rows(answer) == [[*texts.values()]]


def test_tables_are_made_in_files_of_their_own(database: Path, tmp_path: Path) -> None:
    """Each has all rows, with DuckDB's own types; one that fails leaves the others."""
    own = tmp_path / "own.duckdb"
    with duckdb.connect(own) as con:
        con.execute("create schema custom; create table custom.factors as select 3 as factor")
    texts = (
        "select n * factor as n, interval 1 day as i from range(2000) as r (n), factors",
        "from targets",
    )
    every, none = queries(*texts)
    with Runner(replace(FEW, rows=None)) as runner:
        good = runner.make(database, every, tmp_path / "good.duckdb", own)
        bad = runner.make(database, none, tmp_path / "bad.duckdb", own)
    with duckdb.connect(tmp_path / "good.duckdb", read_only=True) as con:
        made = con.execute("select count(*), max(n), any_value(typeof(i)) from result")
        assert made.fetchall() == [(2_000, 5_997, "INTERVAL")]

    assert (good.count, good.error) == (2_000, None)
    assert "targets does not exist" in str(bad.error)


def test_statements_keep_their_lines_and_tell_what_they_read(runner: Runner) -> None:
    """Each stands alone, on its own line, and reads no common table expression."""
    texts = (
        "select 'é;--';\nwith c as (from a) from c, custom.b; /* é */ ;\n-- the end;\n",
        "from a; drop table a",
    )
    parsed, broken = map(runner.parse, queries(*texts))

    assert parsed.statements == ("select 'é;--'", "\nwith c as (from a) from c, custom.b")
    assert parsed.reads == (frozenset(), frozenset({("", "a"), ("custom", "b")}))
    assert "DROP is refused" in str(broken.error)


def test_a_query_is_bound_without_running(runner: Runner, database: Path) -> None:
    """Its columns and types are known at once, however long it would run."""
    endless = "select range as n from range(10000000000000) where range < 0"
    bound, unbound = (
        runner.bind(database, query) for query in queries(endless, "select x from targets")
    )

    assert bound.columns == (("n", "BIGINT"),)
    assert ":1: Binder Error" in str(unbound.error)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("512 MiB", 512 << 20), ("1.5TB", 15 * 10**11)],
)
def test_memory_is_read_as_duckdb_reads_it(text: str, size: int) -> None:
    """GB are powers of ten, GiB powers of two."""
    assert bytes_of(text) == size
