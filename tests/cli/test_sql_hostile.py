"""Hostile statements: each is refused, answered harmlessly, or stopped by a limit."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.project import allowed
from analytics.project.runner import Runner, UserQuery
from analytics.warehouse.machine import Limits

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
def runner(folder: Path) -> Iterator[Runner]:
    """The process that runs all statements, one after the other."""
    with Runner(LIMITS, folder / "data") as runner:
        yield runner


@pytest.mark.parametrize("family", FAMILIES, ids=itemgetter("name"))
def test_a_hostile_statement_does_no_harm(
    runner: Runner, folder: Path, family: dict[str, Any]
) -> None:
    """It ends as its family says, tells nothing of the machine, and changes no file."""
    outcome = family["outcome"]
    before = {path: path.read_bytes() for path in folder.glob("*.*")}
    secrets = [str(folder), str(Path.home()), str(Path.cwd()), "hunter2", "92.5 MiB"]
    for statement in statements(family):
        sql = statement.replace("@FOLDER", str(folder))
        query = UserQuery("", "", sql)
        answer = runner.run(
            folder / "analytics.duckdb", query, seconds=0.3 if outcome == "stopped" else 60
        )
        told = answer.error or str((answer.columns, answer.rows))
        found = "answered" if not answer.error else "refused"
        if found == "refused" and "ask for less" in told:
            found = "stopped"

        assert (found, told if found != outcome else "") == (outcome, ""), sql
        assert {path: path.read_bytes() for path in folder.glob("*.*")} == before, sql
        if outcome != "stopped":
            assert [each for each in secrets if each in told and each not in sql] == [], sql
            assert os.environ["PATH"] not in told, sql


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "duckdb"])
def test_a_query_whose_answer_is_a_file_reads_and_writes_no_other(
    runner: Runner, folder: Path, form: str
) -> None:
    """DuckDB opens the file of the answer alone: neither one beside it, nor itself to read."""
    made = folder / f"data/made.{form}"
    database, before = folder / "analytics.duckdb", {*folder.rglob("*")}
    for sql in (f"from '{folder}/secret.csv'", f"from '{made}'"):
        assert runner.make(database, UserQuery("", "", sql), made).error
    answer = runner.make(database, UserQuery("", "", 'select 1 as "a\'b"'), made)

    assert (answer.error, answer.count) == (None, 1)
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
