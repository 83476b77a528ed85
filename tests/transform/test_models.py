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


def write(queries: Path, **files: str) -> Path:
    """Write model files, named `layer__name`."""
    for name, sql in files.items():
        layer, _, stem = name.partition("__")
        (queries / layer).mkdir(parents=True, exist_ok=True)
        (queries / layer / f"{stem}.sql").write_text(sql)
    return queries


def test_header() -> None:
    """A header is the leading comment: description, key, materialization and words on columns."""
    header = read_header(
        "-- Runs as last read.\n-- Grain: run.\n-- key: workspace_id, run_id\n"
        "-- materialized: table\n-- column date: Day: in UTC,\n-- of the run; the day\n"
        "-- it began.\nselect 1 -- key: none\n-- tail\n"
    )

    assert header == Header(
        "Runs as last read. Grain: run.",
        ("workspace_id", "run_id"),
        is_table=True,
        columns={"date": "Day: in UTC, of the run; the day it began."},
    )


def test_references() -> None:
    """All relations with a schema are found at any depth; common table expressions are not."""
    sql = """
        with a as (from raw.runs anti join raw.superseded using (version_id)),
        b as (unpivot marts.fct_x on columns('_usd$') into name measure value number)
        select (select max(x) from staging.stg_x) from a join b using (k)
        where exists (from ledger.loads) union all from intermediate.int_y
    """

    assert references("x.sql", sql) == {
        "raw.runs",
        "raw.superseded",
        "marts.fct_x",
        "staging.stg_x",
        "ledger.loads",
        "intermediate.int_y",
    }


@pytest.mark.parametrize("word", ["from", "table", "describe", "summarize"])
def test_a_table_without_a_place(word: str) -> None:
    """A statement that names a table without FROM reads it, too."""
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
    queries = write(
        tmp_path / "queries",
        marts__fct_b="from staging.stg_b join intermediate.int_c using (x)",
        marts__fct_a="from staging.stg_a",
        intermediate__int_c="from staging.stg_a",
        staging__stg_b="from raw.runs",
        staging__stg_a="from raw.agents",
    )

    ordered = [model.relation for model in in_order(read_models(queries))]

    assert ordered == [
        "staging.stg_a",
        "staging.stg_b",
        "intermediate.int_c",
        "marts.fct_a",
        "marts.fct_b",
    ]


def test_cycle(tmp_path: Path) -> None:
    """Models that read each other raise an error with the whole cycle."""
    queries = write(
        tmp_path / "queries",
        intermediate__int_a="from intermediate.int_b",
        intermediate__int_b="from intermediate.int_a",
    )

    with pytest.raises(ModelError, match=r"int_[ab]\.sql: reads itself: .*int_a.*int_b"):
        in_order(read_models(queries))


def test_unknown_relation(tmp_path: Path) -> None:
    """A relation that no model builds raises an error that names it and the file that reads it."""
    queries = write(tmp_path / "queries", marts__fct_a="from staging.stg_nowhere")

    with pytest.raises(
        ModelError, match=r"^queries/marts/fct_a\.sql: reads staging\.stg_nowhere, which no model"
    ):
        in_order(read_models(queries))
