"""The ad hoc queries: each as it is run on a published file, and answers to rows of marts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import duckdb
import pytest

from analytics.files import folder
from analytics.transform.models import Header, SqlModel, references
from analytics.warehouse.layout import Layout
from tests.models import test_models
from tests.models.test_models import Case, Tables, read_cases, tables
from tests.queries.sample import fill
from tests.transform.given import empty_warehouse

__all__ = ["tables"]

# What ends with the last complete day, or with the last batch; the models do by definition.
ENDS = (
    "last_complete_date", "last_batch_at", "fct_findings", "fct_forecasts", "fct_month_bridge",
)  # fmt: skip
QUERIES = sorted((folder("queries") / "adhoc").glob("*.sql"))
ALERTS = sorted((folder("skeleton") / "queries" / "alerts").glob("*.sql.example"))
CASES = [*read_cases(Path(__file__).parent / "asked.txt")]


def publish(folder: Path, *, with_sample: bool) -> duckdb.DuckDBPyConnection:
    """The published file, opened as any reader opens it."""
    with empty_warehouse(folder / "data", Layout) as warehouse:
        if with_sample:
            fill(warehouse)
        warehouse.build_all()
    shutil.copy(folder / "data" / "build.duckdb", folder / "analytics.duckdb")
    return duckdb.connect(folder / "analytics.duckdb", read_only=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with publish(tmp_path_factory.mktemp("published"), with_sample=True) as con:
        yield con


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with publish(tmp_path_factory.mktemp("empty"), with_sample=False) as con:
        yield con


@pytest.mark.parametrize("path", [*QUERIES, *ALERTS], ids=lambda path: path.stem)
def test_answers(
    published: duckdb.DuckDBPyConnection, empty: duckdb.DuckDBPyConnection, path: Path
) -> None:
    """It answers with rows, with none where nothing ran; names are unique, money is DECIMAL."""
    sql = path.read_text(encoding="utf-8")
    result = published.execute(sql)
    kinds = {name: str(kind) for name, kind, *_ in result.description}

    assert len(kinds) == len(result.description)
    assert result.fetchall() or path in ALERTS
    assert empty.execute(sql).fetchall() == []
    assert "HUGEINT" not in kinds.values()
    for name, kind, *_ in published.execute(f"describe {sql}").fetchall():
        assert kind.startswith("DECIMAL") or "usd" not in name


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_says_what_it_asks(path: Path) -> None:
    """The first line is the question, whole. What ends it is the last complete day or batch.

    The newest row is no clock. Where days after the last complete one are left out, it says so.
    """
    text = path.read_text(encoding="utf-8")
    question, *_ = text.splitlines()
    by_day = re.search(r"date\)?\s*<= workspaces\.last_complete_date", text)

    assert question.startswith("-- ")
    assert question.endswith("?")
    assert any(word in text for word in ENDS)
    assert "latest as (" not in text
    if by_day or "fct_forecasts" in text:
        assert re.search("complete day|yesterday", question)


@pytest.mark.parametrize("name", ["cost_to_bill", "waste"])
def test_whole_months_come_first(published: duckdb.DuckDBPyConnection, name: str) -> None:
    """A question of whole months has the month so far after those that are over."""
    (path,) = [each for each in QUERIES if each.stem == name]
    answer = published.execute(path.read_text(encoding="utf-8"))
    place = [column for column, *_ in answer.description].index("month")
    newest = max(months := [row[place] for row in answer.fetchall()])  # has ten days to go

    assert months[0] < newest
    assert [month == newest for month in months] == sorted(month == newest for month in months)


@pytest.mark.parametrize("case", CASES, ids=attrgetter("rule"))
def test_case(tables: Tables, case: Case) -> None:
    """What `asked.txt` says, as of the models: see `tests/models`."""
    con, models = tables
    asked = [
        SqlModel(
            layer,
            path.name.split(".")[0],
            path.name,
            Header("", is_table=True),
            references("", sql),
            sql,
        )
        for layer, paths in (("adhoc", QUERIES), ("alerts", ALERTS))
        for path in paths
        for sql in [path.read_text(encoding="utf-8")]
    ]
    test_models.test_case((con, [*models, *asked]), case)
