"""Hostile statements: each is refused, answered harmlessly, or stopped by a limit."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.bounded import allowed, child
from analytics.bounded.confined import open_confined
from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner, UserQuery

LIMITS = Limits(memory="97MB", rows=10_000, size="2MB")
DEEP = 5_000

FAMILIES = tomllib.loads(
    Path(__file__).with_name("hostile_statements.toml").read_text(encoding="utf-8")
)["families"]
FAMILIES += [
    each | {"name": f"{each['name']}, refused", "outcome": "refused", "templates": each["refused"]}
    for each in FAMILIES
    if "refused" in each
]


def statements(family: dict[str, Any]) -> Iterator[str]:
    """Yield each template of a family with each of its values."""
    for template in family["templates"]:
        for value in family["values"]:
            if "@DEEP" in template:
                yield template.replace("@DEEP", value * DEEP).replace("@", value, 1)
            else:
                yield template.replace("@", value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a published file, and a file beside it that no query may read."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "data").mkdir()
    with duckdb.connect(folder / "analytics.duckdb") as con:
        con.execute("create schema marts; create schema audit")
        con.execute("create table marts.fct_runs (run_id text, agent_id text, cost_usd decimal)")
        con.execute("insert into marts.fct_runs values ('r', 'a', 1)")
    (folder / "secret.csv").write_text("secret\nhunter2\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which all statements are tried, one after the other."""
    with open_confined(folder / "analytics.duckdb", memory=LIMITS.memory) as con:
        yield con


@pytest.fixture
def reply(
    folder: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """What the bounded process replies to a query; here it is this process, without its bounds."""
    monkeypatch.setattr(child, "_bound", lambda _: None)

    def reply(sql: str, target: str = "") -> dict[str, Any]:
        if not target:
            monkeypatch.setattr(child, "open_confined", lambda *_, **__: nullcontext(con))
        request = {"task": "run", "sql": sql, "limits": asdict(LIMITS), "target": target}
        of = {"database": str(folder / "analytics.duckdb"), "own": "", "spilled": ""}
        return child._reply(request | of)

    return reply


@pytest.mark.parametrize(
    "family", [each for each in FAMILIES if each["outcome"] != "stopped"], ids=itemgetter("name")
)
def test_a_hostile_statement_does_no_harm(reply, folder: Path, family: dict[str, Any]) -> None:
    """It ends as its family says, tells nothing of the machine, and changes no file."""
    before = {path: path.read_bytes() for path in folder.glob("*.*")}
    secrets = [str(folder), str(Path.home()), str(Path.cwd()), "hunter2", "92.5 MiB"]
    for statement in statements(family):
        sql = statement.replace("@FOLDER", str(folder))
        found = reply(sql)
        told = str(found)

        assert ("error" in found) == (family["outcome"] == "refused"), (sql, told)
        assert "ask for less" not in told, sql
        assert {path: path.read_bytes() for path in folder.glob("*.*")} == before, sql
        assert [each for each in secrets if each in told and each not in sql] == [], sql
        assert os.environ["PATH"] not in told, sql


def test_what_takes_too_much_is_stopped(folder: Path) -> None:
    """What is too slow, too big or too long ends with the limit, and changes no file."""
    (family,) = (each for each in FAMILIES if each["outcome"] == "stopped")
    database, before = folder / "analytics.duckdb", {*folder.iterdir()}
    with Runner(replace(LIMITS, seconds=0.3), folder / "data") as runner:
        for sql in statements(family):
            assert "ask for less" in str(runner.run(database, UserQuery("", "", sql)).error), sql
    assert {*folder.iterdir()} == before


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "duckdb"])
def test_a_query_whose_answer_is_a_file_reads_and_writes_no_other(
    reply, folder: Path, form: str
) -> None:
    """DuckDB opens the file of the answer alone: neither one beside it, nor itself to read."""
    made = folder / f"data/made.{form}"
    before = {*folder.rglob("*")}
    for sql in (f"from '{folder}/secret.csv'", f"from '{made}'"):
        assert "error" in reply(sql, str(made))
    written = reply('select 1 as "a\'b", 1.5::double as d, [1.5] as e, now() as t', str(made))

    assert written["count"] == 1
    assert {*folder.rglob("*")} - before == {made}


def test_each_function_of_duckdb_was_judged() -> None:
    """A release of DuckDB with another function that reads more than its arguments is noticed."""
    with duckdb.connect() as con:
        reading = con.execute(
            "select distinct function_name from duckdb_functions()"
            " where function_type = 'scalar' and stability = 'VOLATILE'"
        ).fetchall()
        views = con.execute(
            "select view_name from duckdb_views() where internal"
            " and schema_name <> 'information_schema'"
        ).fetchall()
        macros = con.execute(
            "select function_name, macro_definition from duckdb_functions()"
            " where function_type like '%macro%' and internal"
        ).fetchall()
    harmless = {
        *("current_connection_id", "current_query", "current_query_id", "current_transaction_id"),
        *("error", "gen_random_uuid", "random", "setseed", "sleep_ms", "stats", "uuid", "uuidv4"),
        *("uuidv7", "vector_type"),
    }

    assert {name for (name,) in reading} - allowed.REFUSED_FUNCTIONS == harmless
    assert all(name.startswith(allowed.SYSTEM_TABLES) for (name,) in views)
    called = [
        name
        for name, definition in macros
        if any(f"{each}(" in str(definition) for each in allowed.REFUSED_FUNCTIONS)
    ]
    assert called == []
    by_name = {name for name, definition in macros if "query_table(" in str(definition)}
    assert by_name
    assert not by_name & allowed.TABLE_FUNCTIONS
