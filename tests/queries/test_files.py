"""What each file of `queries/` owes its reader: header, layer rules, documented columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.resources import folder
from analytics.transform.build import all_models
from analytics.transform.comments import glossary
from analytics.transform.measures import measures
from analytics.transform.models import Model, read_header, references, short_name
from tests.transform.given import Warehouse

QUERIES = folder("queries")
FILES = sorted(QUERIES.rglob("*.sql"))
MODELS = {model.relation: model for model in all_models(QUERIES)}

# The schemas that each layer may read.
MAY_READ = {
    "staging": {"raw", "ledger"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts", "audit"},
    "audit": {"staging", "intermediate", "marts", "audit"},
    "reports": {"intermediate", "marts", "audit", "reports"},
    "report": {"intermediate", "marts", "audit", "reports"},
    "checks": {"raw", "intermediate", "marts", "audit"},
    "adhoc": {"marts", "audit"},
}
PREFIXES = {
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "marts": ("fct_", "dim_"),
    "audit": ("",),
    "reports": ("rpt_",),
}


def schemas(relations: frozenset[str] | set[str]) -> set[str]:
    return {relation.split(".")[0] for relation in relations}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_model_header(model: Model) -> None:
    """A model says what it holds, its grain and its key."""
    assert "Grain: " in model.header.description
    assert model.header.description.endswith(".")
    assert model.header.key


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_model_layer(model: Model) -> None:
    """A model is named for its layer, and reads only the layers before it and its own."""
    assert model.name.startswith(PREFIXES[model.layer])
    assert schemas(model.reads) <= MAY_READ[model.layer]


def test_staging_is_one_to_one() -> None:
    """A staging model reads one source, and beside it only what tells replaced versions."""
    for model in MODELS.values():
        if model.layer == "staging":
            sources = model.reads - {"raw.superseded", "ledger.requests"}
            assert len(sources or model.reads) == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_file(path: Path) -> None:
    """A file is one SELECT that reads what its folder may, in plain lines of 100 at most."""
    text = path.read_text(encoding="utf-8")
    reads = references(short_name(path), text)

    assert schemas(reads) <= MAY_READ[path.parent.name]
    assert "\t" not in text
    assert text == text.rstrip() + "\n"
    for line in text.splitlines():
        assert line == line.rstrip()
        assert len(line) <= 100


def test_question_or_claim() -> None:
    """An ad hoc query opens with the question that it answers, a check with its claim."""
    for path in FILES:
        description = read_header(path.read_text(encoding="utf-8")).description
        if path.parent.name == "adhoc":
            assert "?" in description
        elif path.parent.name == "checks":
            assert description.endswith(".")


def test_no_date_is_now() -> None:
    """No query asks the clock: figures are those of the data, on whatever day they are asked."""
    for path in FILES:
        text = path.read_text(encoding="utf-8").lower()
        assert not any(
            word in text
            for word in ("now()", "current_date", "current_time", "today()", "localtime")
        )


def test_every_column_is_explained(warehouse: Warehouse) -> None:
    """Every mart and every column of one has a comment."""
    warehouse.build_all()

    assert (
        warehouse.rows("""
        select table_name, column_name from duckdb_columns()
        where schema_name in ('marts', 'audit', 'reports') and comment is null
    """)
        == []
    )
    assert (
        warehouse.rows("""
        select table_name from duckdb_tables()
        where schema_name in ('marts', 'audit', 'reports') and comment is null
    """)
        == []
    )


def test_no_explanation_is_left_over(warehouse: Warehouse) -> None:
    """The glossary, and each header, explain only columns that there are."""
    warehouse.build_all()
    columns = warehouse.rows(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name in ('marts', 'audit', 'reports')"
    )
    results = {"checked_at", "check_name", "claim", "control", "sources", "violation_count"}
    results |= {"is_ok", "is_blocking", "finding"}

    results |= {each.name for each in measures().values() if each.macro}

    assert set(glossary()) <= {column for _, column in columns} | results
    for model in MODELS.values():
        for column in model.header.columns:
            assert (model.name, column) in columns


def test_glossary_is_in_sentences() -> None:
    """Each meaning is a sentence, and each amount of money names its currency."""
    for column, meaning in glossary().items():
        assert meaning[0].isupper()
        assert meaning.endswith(".")
        if column.endswith("_usd"):
            assert "US dollars" in meaning
