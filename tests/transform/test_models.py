"""Parsing, ordering and validating model files."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.transform.models import (
    Header,
    ModelError,
    in_order,
    read_header,
    read_models,
    references,
)
from analytics.transform.parsing import parse


def order(folder: Path, files: dict[str, str]) -> list[str]:
    """Write model files, named `layer.name`, and return their order."""
    for relation, sql in files.items():
        layer, _, stem = relation.partition(".")
        (folder / layer).mkdir(parents=True, exist_ok=True)
        (folder / layer / f"{stem}.sql").write_text(sql)
    return [model.relation for model in in_order(read_models(folder))]


def test_header() -> None:
    """A header is the leading comment: description, key, materialization and words on columns."""
    header = read_header(
        "-- Runs as last read.\n-- Grain: run.\n-- key: workspace_id, run_id\n"
        "-- not_null: is_open, is_new\n-- materialized: table\n"
        "-- column date: Day: in UTC,\n-- of the run; the day\n"
        "-- it began.\nselect 1 -- key: none\n-- tail\n"
    )

    assert header == Header(
        "Runs as last read. Grain: run.",
        ("workspace_id", "run_id"),
        is_table=True,
        columns={"date": "Day: in UTC, of the run; the day it began."},
        not_null=("is_open", "is_new"),
    )


def test_references() -> None:
    """All relations with a schema are found at any depth; common table expressions are not."""
    sql = """
        with a as (from raw.runs anti join raw.superseded using (version_id)),
        b as (unpivot marts.fct_x on columns('_usd$') into name measure value number)
        select (select max(x) from staging.runs) from a join b using (k)
        where exists (from ledger.loads) union all from intermediate.int_y
    """

    assert references("x.sql", sql) == {
        "raw.runs", "raw.superseded", "marts.fct_x", "staging.runs", "ledger.loads",
        "intermediate.int_y",
    }  # fmt: skip
    for word in ("from", "table", "describe", "summarize"):
        assert references("x.sql", f"{word} marts.fct_x") == {"marts.fct_x"}


def test_statements_are_parsed_together() -> None:
    """One that is wrong among others is told where it is used, and no other is."""
    parse(["from marts.fct_y", "selec 2"])

    assert references("y.sql", "from marts.fct_y") == {"marts.fct_y"}
    for _ in range(2):
        with pytest.raises(ModelError, match=r"^z\.sql: .*syntax error"):
            references("z.sql", "selec 2")


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("create table x (a int)", "Only SELECT"),
        ("from raw.runs; drop table raw.runs", "Only SELECT"),
        ("delete from raw.runs", "Only SELECT"),
        ("select 1; select 2", "holds 2 statements"),
        ("-- Nothing. Grain: none.", "holds 0 statements"),
        ("selec 1", "syntax error"),
    ],
)
def test_only_one_select(sql: str, cause: str) -> None:
    """A file that is not exactly one SELECT raises an error that names it."""
    with pytest.raises(ModelError, match=rf"^queries/marts/x\.sql: .*{cause}"):
        references("queries/marts/x.sql", sql)


def test_order(tmp_path: Path) -> None:
    """Each model comes after the models that it reads; ties are sorted by name."""
    files = {
        "marts.fct_b": "from intermediate.int_b join intermediate.int_c using (x)",
        "marts.fct_a": "from intermediate.int_a",
        "intermediate.int_c": "from intermediate.int_a",
        "intermediate.int_b": "from staging.runs",
        "intermediate.int_a": "from staging.agents",
    }

    assert order(tmp_path / "queries", files) == [
        "intermediate.int_a", "intermediate.int_b", "intermediate.int_c", "marts.fct_a",
        "marts.fct_b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ("from marts.b", "from marts.a", r"[ab]\.sql: reads itself: .*[ab].*[ab]"),
        ("from marts.c", "from raw.runs", r"^queries/marts/a\.sql: reads marts\.c, which no model"),
    ],
)
def test_models_without_an_order(tmp_path: Path, a: str, b: str, error: str) -> None:
    """A cycle, or a relation that no model makes, is named with the file that reads it."""
    with pytest.raises(ModelError, match=error):
        order(tmp_path / "queries", {"marts.a": a, "marts.b": b})
