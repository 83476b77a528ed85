"""What each file of `queries/` owes its reader: header, layer rules, documented columns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.files import folder
from analytics.transform.build import all_models
from analytics.transform.measures import measures
from analytics.transform.models import glossary, read_header, references, short_name
from analytics.transform.page_queries import create_queries
from tests.transform.given import Warehouse, empty_warehouse

QUERIES = folder("queries")
FILES = sorted([*QUERIES.rglob("*.sql"), *(folder("reports") / "queries").glob("*.sql")])
TEXTS = {path: path.read_text(encoding="utf-8") for path in FILES}
MODELS = {model.relation: model for model in all_models(QUERIES)}

# The schemas that each layer may read.
MARTS = {"staging", "ledger", "finance", "intermediate", "marts", "audit"}
REPORT = {"intermediate", "marts", "audit", "reports"}
PUBLISHED = {"marts", "audit"}
MAY_READ = {
    **dict.fromkeys(("intermediate", "marts", "audit"), MARTS),
    **dict.fromkeys(("reports", "report", "queries"), REPORT),
    "frames": MARTS,
    "checks": {"raw"} | MARTS,
    "books": {"marts", "audit"},
    "adhoc": PUBLISHED,
    "pack": PUBLISHED | {"reports"},
    "focus": PUBLISHED | {"focus"},
    "finance": PUBLISHED | {"finance", "intermediate"},
    "fleet": {"reports", "fleet"},
}
PREFIXES = {
    "intermediate": ("int_",),
    "marts": ("fct_", "dim_"),
    "audit": ("",),
    "reports": ("rpt_",),
}


def schemas(relations: frozenset[str] | set[str]) -> set[str]:
    return {relation.split(".")[0] for relation in relations}


def test_models_are_described() -> None:
    """A model says what it holds, its grain and its key."""
    headers = {relation: model.header for relation, model in MODELS.items()}

    assert [name for name, header in headers.items() if "Grain: " not in header.description] == []
    assert [name for name, header in headers.items() if header.description[-1:] != "."] == []
    assert [name for name, header in headers.items() if not header.key] == []


def test_models_are_in_their_layer() -> None:
    """A model is named for its layer, and reads only the layers before it and its own."""
    models = MODELS.values()

    assert [m.relation for m in models if not m.name.startswith(PREFIXES[m.layer])] == []
    assert [m.relation for m in models if not schemas(m.reads) <= MAY_READ[m.layer]] == []


def test_files_read_what_they_may() -> None:
    """A file is one SELECT that reads what its folder may."""
    reads = {path: schemas(references(short_name(path), TEXTS[path])) for path in FILES}

    assert [path for path in FILES if not reads[path] <= MAY_READ[path.parent.name]] == []


def test_lines_are_plain() -> None:
    """Lines have 100 characters at most, no tab, and nothing blank at their end or the file's."""
    lines = [(path, line) for path in FILES for line in TEXTS[path].splitlines()]

    assert [path for path, text in TEXTS.items() if "\t" in text] == []
    assert [path for path, text in TEXTS.items() if text != text.rstrip() + "\n"] == []
    assert [line for line in lines if line[1] != line[1].rstrip() or len(line[1]) > 100] == []


def test_checks_have_a_claim() -> None:
    """A check opens with its claim: a sentence."""
    for path in (QUERIES / "checks").glob("*.sql"):
        assert read_header(TEXTS[path]).description.endswith(".")


def test_no_date_is_now() -> None:
    """No query asks the clock: figures are those of the data, on whatever day they are asked."""
    for path in FILES:
        text = TEXTS[path].lower()
        clocks = ("now()", "current_date", "current_time", "today()", "localtime")
        assert not any(word in text for word in clocks)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """All models without a row, with their comments; tests only read it."""
    with empty_warehouse(tmp_path_factory.mktemp("built") / "data") as warehouse:
        warehouse.build_all()
        create_queries(warehouse.con)
        yield warehouse


def test_every_column_is_explained(built: Warehouse) -> None:
    """Every mart and every column of one has a comment."""
    for what in ("columns", "tables"):
        assert built.rows(f"""
            from duckdb_{what}()
            where schema_name in ('marts', 'audit') and comment is null
        """) == []  # fmt: skip


def test_what_is_of_an_agent_has_its_name(built: Warehouse) -> None:
    """A mart that has the identifier of an agent has its name, too."""
    assert built.rows("""
        select table_name from information_schema.columns where table_schema = 'marts'
        group by table_name
        having bool_or(column_name = 'agent_id') and not bool_or(column_name = 'agent_name')
    """) == []  # fmt: skip


def test_durations_of_runs_stand_beside_their_count(built: Warehouse) -> None:
    """`duration_ms` is a sum over runs: what one event or call took has a name of its own."""
    assert built.rows("""
        select table_name from information_schema.columns
        where table_schema = 'marts' and column_name in ('duration_ms', 'run_count')
        group by table_name
        having bool_or(column_name = 'duration_ms') and not bool_or(column_name = 'run_count')
    """) == []  # fmt: skip


def test_no_explanation_is_left_over(built: Warehouse) -> None:
    """The glossary, and each header, explain only columns that there are."""
    columns = built.rows(
        "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        " where schema_name in ('intermediate', 'marts', 'audit', 'reports')"
    )
    published = {column for table, column in columns if table.startswith(("marts.", "audit."))}
    results = {"checked_at", "check_name", "claim", "control", "sources", "violation_count"}
    results |= {"is_ok", "is_blocking", "finding"}
    results |= {each.name for each in measures().values() if each.macro}

    assert set(glossary()) <= published | results
    for model in MODELS.values():
        for column in model.header.columns:
            assert (model.relation, column) in columns


def test_types(built: Warehouse) -> None:
    """Money is DECIMAL, counts are BIGINT, instants are TIMESTAMPTZ, in sums too."""
    types = set(
        built.rows(
            "select"
            " regexp_extract(column_name, '_usd$|^tokens_(in|out)$|_at$|_count$|^date$|^month$'),"
            " data_type from duckdb_columns()"
            " where schema_name in ('marts', 'audit', 'reports') or database_name = 'temp'"
        )
    )

    assert {pair for pair in types if pair[0]} == {
        ("_usd", "DECIMAL(18,10)"),
        ("_usd", "DECIMAL(38,10)"),
        ("tokens_in", "BIGINT"),
        ("tokens_out", "BIGINT"),
        ("_at", "TIMESTAMP WITH TIME ZONE"),
        ("_count", "BIGINT"),
        ("date", "DATE"),
        ("month", "DATE"),
    }
    assert "HUGEINT" not in {data_type for _, data_type in types}


def test_glossary_is_in_sentences() -> None:
    """Each meaning is a sentence, and each amount of money names its currency."""
    for column, meaning in glossary().items():
        assert meaning[0].isupper()
        assert meaning.endswith(".")
        if column.endswith("_usd"):
            assert "US dollars" in meaning
