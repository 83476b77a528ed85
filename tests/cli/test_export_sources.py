"""`analytics export sources`: the published tables as sources of dbt."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from analytics.published.export.sources import sources
from tests.cli.conftest import Command

COLUMNS = """
    select schema_name, table_name, column_name, data_type, comment
    from duckdb_columns() where not internal
"""


def test_sources_are_the_comments_of_the_published_file(published: Command) -> None:
    """Each column of each schema stands in the YAML, with its type and its comment."""
    result = published("export", "sources", "--output", "sources.yml")

    assert (result.code, result.err) == (0, "wrote sources.yml\n")
    written = yaml.safe_load(Path("sources.yml").read_text(encoding="utf-8"))
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        expected = con.execute(COLUMNS).fetchall()
        tables = con.execute("select table_name, comment from duckdb_tables()").fetchall()
    found = {
        (source["name"], table["name"], column["name"], column["data_type"], column["description"])
        for source in written["sources"]
        for table in source["tables"]
        for column in table["columns"]
    }
    assert found == set(expected)
    assert ("marts", "fct_runs", "cost_usd", "DECIMAL(18,10)") in {each[:4] for each in found}
    assert dict(tables) == {
        table["name"]: table["description"]
        for source in written["sources"]
        for table in source["tables"]
    }
    assert {source["database"] for source in written["sources"]} == {"analytics"}


def test_sources_go_to_standard_output(published: Command) -> None:
    """`--output -` prints the YAML, and nothing else."""
    result = published("export", "sources", "--output", "-")

    assert [each["name"] for each in yaml.safe_load(result.out)["sources"]] == [
        "marts",
        "audit",
        "reports",
    ]


@pytest.mark.parametrize("text", ["{{ env_var('KEY') }}", "{% set a %}", "{# b #}", 'a: "b"\n- c'])
def test_no_comment_is_code_to_dbt(text: str) -> None:
    """A comment that holds an expression of dbt, or YAML, stays a text."""
    with duckdb.connect(":memory:") as con:
        con.execute("create schema marts; create table marts.t (a int)")
        con.execute(f"comment on table marts.t is '{text.replace(chr(39), chr(39) * 2)}'")
        ((table,),) = (each["tables"] for each in yaml.safe_load(sources(con))["sources"])

    assert re.search(r"\{[{%#]", table["description"]) is None
    assert re.sub(r"\{ (?=[{%#])", "{", table["description"]) == text
