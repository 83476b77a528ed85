"""Each case of `tests/models/*.txt`: rows in, rows out, without a batch.

    The cost of a failed run is wasted.            <- the rule, which names the test
    given marts.fct_runs
      run_id  status  cost_usd
      r-1     failed  2
    then marts.fct_waste where run_id = 'r-1'
      cost_usd
      2

Columns are two spaces apart, `-` is null, `''` is empty, `' '` is a blank, and `#` begins a
comment. What `then` names is made of the rows given, through all models in between; a relation or
column that is not given is empty. What stands before the first rule holds for all: rows, and values
`where not given` of columns and of `timezone`. Only columns of `then` are compared, rows in any
order, fractions to six digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.files import folder
from analytics.transform.build import all_models
from analytics.transform.models import (
    Header,
    Model,
    SqlModel,
    in_order,
    read_folder,
    references,
)
from analytics.transform.page_queries import create_queries, page_queries
from analytics.warehouse.schema import source_views
from tests.transform.given import empty_warehouse

Rows = list[list[str]]  # of text; the first are the columns
FILES = sorted(Path(__file__).parent.glob("*.txt"))
Tables = tuple[duckdb.DuckDBPyConnection, list[Model]]
_WORD = re.compile(r"(given|then|where not given) (.+)")


@dataclass(frozen=True)
class Case:
    """A rule; rows by relation, in `then` with a condition; and values of columns by default."""

    rule: str = ""
    given: Mapping[str, Rows] = field(default_factory=dict)
    then: Mapping[str, Rows] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


def read_cases(file: Path) -> Iterator[Case]:
    """Yield the cases of a file; ValueError for cells that are of no table."""
    case = common = Case()
    rows: Rows | None = None
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("  ") and rows is not None:
            rows.append(re.split(r" {2,}", line.strip()))
        elif line.startswith(" "):
            raise ValueError(f"{file.name}: cells of no table: {line}")
        elif word := _WORD.fullmatch(line):
            kind, text = word.groups()
            rows = []
            if kind == "where not given":
                values = dict(each.split(" = ") for each in text.split(", "))
                case = replace(case, defaults={**case.defaults, **values})
            else:
                case = replace(case, **{kind: {**getattr(case, kind), text: rows}})
        else:
            if case.rule:
                yield case
            common = common if case.rule else case
            case, rows = replace(common, rule=line), None
    yield case


_TEXTS = {"-": None, "''": "", "' '": " "}


def filled(
    con: duckdb.DuckDBPyConnection, name: str, like: str, rows: Rows, defaults: Mapping[str, str]
) -> str:
    """Make a temporary table of the columns of a query, with these rows; return its name."""
    con.execute(f"create temp table {name} as {like} limit 0")
    columns = {column for column, *_ in con.execute(f"describe {name}").fetchall()}
    usual = {column: value for column, value in defaults.items() if column in columns}
    given = [usual | dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    if given:
        marks = f"({', '.join('?' for _ in given[0])})"
        con.execute(
            f"insert into {name} ({', '.join(given[0])}) values {', '.join([marks] * len(given))}",
            [_TEXTS.get(value, value) for row in given for value in row.values()],
        )
    return f"temp.{name}"


def make(con: duckdb.DuckDBPyConnection, models: list[Model], case: Case) -> dict[str, str]:
    """Make the relations that a case expects of those it gives; return the names of all."""
    con.execute("set variable reporting_timezone = ?", [case.defaults.get("timezone", "UTC")])
    names: dict[str, str] = {}
    for relation, rows in case.given.items():
        name = f"given_{len(names)}"
        names[relation] = filled(con, name, f"from {relation}", rows, case.defaults)
    needed = {target.split()[0] for target in case.then}
    for model in reversed(models):
        needed |= model.reads if model.relation in needed - names.keys() else set()
    for model in models:
        if model.relation in needed - names.keys() and model.reads & names.keys():
            made = f"temp.made_{len(names)}"
            model.make(con, made, names)
            names[model.relation] = made
    return names


def values(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """Return the rows of a query as text, sorted."""

    def text(value: Any) -> str:
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        return "-" if value is None else str(round(value, 6) if type(value) is float else value)

    return sorted("  ".join(map(text, row)) for row in con.execute(query).fetchall())


def _source_views() -> list[Model]:
    return [
        SqlModel(
            "staging", view.removeprefix("staging."), view, Header(""), references(view, sql), sql
        )
        for view, sql in source_views().items()
    ]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """A connection with all tables, empty, and models, page queries and checks as tables."""
    queries = folder("queries")
    with empty_warehouse(tmp_path_factory.mktemp("models") / "data") as warehouse:
        warehouse.build_all()
        con = warehouse.con
        asked = [page_queries()[name] for name in create_queries(con)]
        for each in asked:
            con.execute(f"create table warehouse.{each.relation} as from temp.{each.name}")
        built = in_order(all_models(queries))
        frames, checks = (read_folder(name, queries / name) for name in ("frames", "checks"))
        models = [*_source_views(), *built, *asked, *frames, *checks]
        yield con, [replace(each, header=replace(each.header, is_table=True)) for each in models]


@pytest.mark.parametrize(
    "case", [case for file in FILES for case in read_cases(file)], ids=attrgetter("rule")
)
def test_case(tables: Tables, case: Case) -> None:
    con, models = tables
    con.begin()
    try:
        names = make(con, models, case)
        for number, (target, (columns, *rows)) in enumerate(case.then.items()):
            relation, _, condition = target.partition(" ")
            query = f"select {', '.join(columns)} from {names[relation]} {condition}"
            plain = [f"c{each}" for each, _ in enumerate(columns)]
            like = f"from ({query}) as made ({', '.join(plain)})"
            wanted = filled(con, f"wanted_{number}", like, [plain, *rows], {})
            assert values(con, query) == values(con, f"from {wanted}"), relation
    finally:
        con.rollback()
