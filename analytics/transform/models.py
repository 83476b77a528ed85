"""Models: the header of each file of `queries/`, the relations it reads, and the build order."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from analytics.errors import UsageError
from analytics.transform.frames import read_frame, write_table

LAYERS = ("staging", "intermediate", "marts", "audit", "reports")
PUBLISHED = ("marts", "audit", "reports")
SOURCE_SCHEMAS = ("raw", "ledger", "finance")
CHECK_RESULTS = frozenset(
    {
        "audit.check_results",
        "audit.control_findings",
        "audit.custom_files",
        "audit.alert_findings",
    }
)
"""Relations that checks write; what reads them is built once more after the checks."""

_FOLDERS = {"reports": "report"}  # of `queries/`, where its name is not the layer's

_HEADER_FIELD = re.compile(
    r"(key|materialized|control|sources|conserves|sums|(?i:blocking|severity)"
    r"|(column|ref|values) (?P<column>\w+)): (?P<value>.+)"
)


class ModelError(Exception):
    """A model or check that cannot be parsed, ordered or run: its file, then the cause."""

    def __init__(self, file: str, cause: str) -> None:
        super().__init__(f"{file}: {cause}")
        self.file = file
        self.cause = cause


@dataclass(frozen=True)
class Header:
    """The comment at the top of a file: description, key, and meanings of single columns.

    `control` names a check against the API, and `sources` the two that it compares. `conserves`,
    `sums`, `refs` and `values` declare checks: see `header_checks`. `blocking` is of checks of the
    user's own, "true" if they stop publishing; ours always do. `severity` is of alerts.
    """

    description: str
    key: tuple[str, ...] = ()
    is_table: bool = False
    control: str | None = None
    sources: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    refs: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conserves: str | None = None
    sums: str | None = None
    blocking: str | None = None
    severity: str | None = None


@dataclass(frozen=True)
class Model(ABC):
    """A relation to build: `layer.name`, described by its header, from the relations it reads."""

    layer: str
    name: str
    file: str
    header: Header
    reads: frozenset[str]

    @property
    def relation(self) -> str:
        """The qualified name, `layer.name`."""
        return f"{self.layer}.{self.name}"

    @abstractmethod
    def make(self, con: duckdb.DuckDBPyConnection, relation: str) -> int | None:
        """Create the relation, and return its number of rows (None for a view)."""


@dataclass(frozen=True)
class SqlModel(Model):
    """A model that is one SELECT: a table in marts or if its header requires one, else a view."""

    sql: str

    def make(self, con: duckdb.DuckDBPyConnection, relation: str) -> int | None:
        """Create the view or the table."""
        if self.layer in PUBLISHED or self.header.is_table:
            ((rows,),) = con.execute(f"create table {relation} as {self.sql}").fetchall()
            return int(rows)
        con.execute(f"create view {relation} as {self.sql}")
        return None


@dataclass(frozen=True)
class PolarsModel(Model):
    """A model that is a function from the frames of its `inputs` to a frame; always a table."""

    inputs: Mapping[str, Sequence[str]]
    compute: Callable[..., pl.DataFrame]

    def make(self, con: duckdb.DuckDBPyConnection, relation: str) -> int:
        """Create the table."""
        frames = [read_frame(con, name, columns) for name, columns in self.inputs.items()]
        return write_table(con, relation, self.compute(*frames))


def polars_model(
    relation: str,
    *,
    header: Header,
    inputs: Mapping[str, Sequence[str]],
    compute: Callable[..., pl.DataFrame],
) -> PolarsModel:
    """A model in Python; `relation` is `layer.name`, and `inputs` the columns of others it reads.

    `compute` gets one frame for each input, in their order.
    """
    layer, name = relation.split(".")
    file = f"{compute.__module__}.{compute.__qualname__}"
    return PolarsModel(layer, name, file, header, frozenset(inputs), inputs, compute)


def read_models(queries: Path) -> list[SqlModel]:
    """Read the models in the layers of `queries`; ModelError for a file that is not one SELECT."""
    models = []
    for layer in LAYERS:
        for path in sorted((queries / _FOLDERS.get(layer, layer)).glob("*.sql")):
            file, sql = short_name(path), path.read_text(encoding="utf-8")
            reads = references(file, sql)
            models.append(SqlModel(layer, path.stem, file, read_header(sql), reads, sql))
    return models


def short_name(path: Path) -> str:
    """Return the short path of a file of `queries/`, such as `queries/marts/fct_runs.sql`."""
    return "/".join(path.parts[-3:])


def read_header(sql: str) -> Header:
    """Parse the header of a file: its `--` lines before the first line of SQL or empty line.

    A field whose line ends with a comma goes on in the next line.
    """
    description: list[str] = []
    fields: dict[str, str] = {}
    of_columns: dict[str, dict[str, str]] = {"column": {}, "ref": {}, "values": {}}
    text = ""
    for line in sql.strip().split("\n"):
        if not line.startswith("--"):
            break
        goes_on = text.endswith(",") and _HEADER_FIELD.fullmatch(text)
        text = f"{text} " if goes_on else ""
        text += line.removeprefix("--").strip()
        if (match := _HEADER_FIELD.fullmatch(text)) is None:
            description.append(text)
        elif column := match["column"]:
            of_columns[match[2]][column] = match["value"]
        else:
            fields[match[1].lower()] = match["value"]
    return Header(
        " ".join(description),
        _split(fields.get("key", ""), ","),
        fields.get("materialized") == "table",
        fields.get("control"),
        _split(fields.get("sources", ""), "|"),
        of_columns["column"],
        of_columns["ref"],
        {column: _split(values, ",") for column, values in of_columns["values"].items()},
        fields.get("conserves"),
        fields.get("sums"),
        fields.get("blocking"),
        fields.get("severity"),
    )


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def references(file: str, sql: str) -> frozenset[str]:
    """Return the relations `schema.name` that a SELECT reads; ModelError if it is not one SELECT.

    A name without a schema is a common table expression.
    """
    try:
        return _references(sql)
    except ValueError as error:
        raise ModelError(file, str(error)) from None


@cache
def _references(sql: str) -> frozenset[str]:
    return frozenset(f"{schema}.{name}" for schema, name in tables_read(sql) if schema)


def tables_read(sql: str) -> frozenset[tuple[str, str]]:
    """Return schema and name of each table that a SELECT reads; the schema is empty if not given.

    Common table expressions are none. ValueError if the text is not one SELECT, or names a table
    of another file than the present one.
    """
    ((text,),) = _parser().execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise ValueError(tree["error_message"])
    if (count := len(tree["statements"])) != 1:
        raise ValueError(f"holds {count} statements; a file holds one SELECT")
    nodes = list(_nodes(tree))
    if catalogs := {each["catalog_name"] for each in nodes if each.get("catalog_name")}:
        raise ValueError(f"{min(catalogs)} stands before a schema; a table is SCHEMA.TABLE")
    expressions = {each["key"] for node in nodes for each in node.get("cte_map", {}).get("map", ())}
    return frozenset(
        (node["schema_name"], node["table_name"])
        for node in nodes
        if node.get("type") == "BASE_TABLE"
        and (node["schema_name"] or node["table_name"] not in expressions)
    )


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _nodes(branch)


def with_ancestors(models: Iterable[Model], names: Iterable[str]) -> list[Model]:
    """Return the models of these names, with or without schema, and all that they read, unordered.

    Raises UsageError, which proposes similar names, for a name that no model has.
    """
    by_relation = {model.relation: model for model in models}
    wanted = [relation for name in names for relation in _relations_named(name, by_relation)]
    found: dict[str, Model] = {}
    while wanted:
        relation = wanted.pop()
        if relation in by_relation and relation not in found:
            found[relation] = by_relation[relation]
            wanted += found[relation].reads
    return list(found.values())


def _relations_named(name: str, by_relation: Mapping[str, Model]) -> list[str]:
    if found := [each for each, model in by_relation.items() if name in (each, model.name)]:
        return found
    names = [*(model.name for model in by_relation.values()), *by_relation]
    similar = get_close_matches(name, names, n=2)
    raise UsageError(
        f"There is no model {name}."
        + (f"\nDid you mean {' or '.join(similar)}?" if similar else "")
    )


def in_order(models: Iterable[Model]) -> list[Model]:
    """Return the models, each after the models that it reads; the order is always the same.

    Raises ModelError for a relation that no model builds, and for a cycle.
    """
    by_relation = {model.relation: model for model in models}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for relation, model in sorted(by_relation.items()):
        reads = {
            name for name in model.reads - CHECK_RESULTS if name.split(".")[0] not in SOURCE_SCHEMAS
        }
        if unknown := sorted(reads - by_relation.keys()):
            raise ModelError(model.file, f"reads {', '.join(unknown)}, which no model makes")
        sorter.add(relation, *sorted(reads))
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = error.args[1]
        raise ModelError(
            by_relation[cycle[0]].file, f"reads itself: {' <- '.join(cycle)}"
        ) from None
    ordered: list[Model] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_relation[relation] for relation in ready)
        sorter.done(*ready)
    return ordered
