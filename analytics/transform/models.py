"""Models: the header of each file of `queries/`, the relations it reads, and the build order."""

from __future__ import annotations

import re
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from inspect import signature
from pathlib import Path
from types import MappingProxyType

import duckdb
import polars as pl
import polars.selectors as cs

from analytics.files import folder
from analytics.transform.frames import filling, read_frame, write_table
from analytics.transform.measures import measures, with_roll_ups
from analytics.transform.parsing import columns_read, parse, renamed, tables_read
from analytics.warehouse.database import quoted

LAYERS = ("intermediate", "marts", "audit", "reports")
PUBLISHED = ("marts", "audit")
SOURCE_SCHEMAS = ("raw", "staging", "ledger", "finance")
CHECK_RESULTS = frozenset(
    {
        "audit.check_results",
        "audit.control_findings",
        "audit.controls",
        "audit.project_files",
        "audit.alert_findings",
    }
)
"""Relations that checks write; what reads them is built once more after the checks."""

_FOLDERS = {"reports": "report"}  # of `queries/`, where its name is not the layer's

_HEADER_FIELD = re.compile(
    r"(key|not_null|materialized|narrow|frozen|control|measure|sources|(?i:blocking|severity)"
    r"|(column|ref|values|narrow) (?P<column>\w+)): (?P<value>.+)"
)


NO_INPUTS: Mapping[str, str] = MappingProxyType({})


class ModelError(Exception):
    """A model or check that cannot be parsed, ordered or run: its file, then the cause."""

    def __init__(self, file: str, cause: str) -> None:
        super().__init__(f"{file}: {cause}")
        self.file = file
        self.cause = cause


@dataclass(frozen=True)
class Header:
    """The comment at the top of a file: description, key, and meanings of single columns.

    `narrow` is the column by whose values, in each workspace, parts of the relation can be built
    alone, and `narrow_inputs` what stands for it in single inputs: see `incremental`. `is_table`
    is of models in intermediate, `is_view` of page queries: others are the opposite. `control`
    names a check against the API, `sources` the two that it compares, and `measure` the one whose
    sums are published. `key`, `refs`, `values` and `not_null` declare checks: see `header_checks`.
    `frozen` is of marts whose rows of a month a close freezes: the column of the month. `blocking`
    is of checks of the user's own, "true" if they stop publishing; ours always do. `severity` is of
    alerts.
    """

    description: str
    key: tuple[str, ...] = ()
    is_table: bool = False
    is_view: bool = False
    control: str | None = None
    measure: str | None = None
    sources: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    refs: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    narrow: str | None = None
    narrow_inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocking: str | None = None
    severity: str | None = None
    frozen: str | None = None
    not_null: tuple[str, ...] = ()


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

    @property
    @abstractmethod
    def is_view(self) -> bool:
        """True if the relation is a view: it holds no rows of its own."""

    @abstractmethod
    def make(
        self,
        con: duckdb.DuckDBPyConnection,
        relation: str,
        inputs: Mapping[str, str] = NO_INPUTS,
        *,
        exists: bool = False,
    ) -> int | None:
        """Create the relation, and return its number of rows (None for a view).

        It reads the relations that `inputs` names in place of its own. A table that `exists` is
        empty, and is filled.
        """

    @abstractmethod
    def columns_read(self, relation: str) -> frozenset[str] | None:
        """Return the columns that it may read of an input; None if it may be any."""


@contextmanager
def model_errors(model: Model) -> Iterator[None]:
    """Raise ModelError, which names the file, for an error of a model that is built."""
    try:
        yield
    except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
        raise ModelError(model.file, str(error)) from error


@dataclass(frozen=True)
class SqlModel(Model):
    """A model that is one SELECT: a view in intermediate, unless its header says a table."""

    sql: str

    @property
    def is_view(self) -> bool:
        """True in intermediate, unless the header requires a table."""
        return self.layer == "intermediate" and not self.header.is_table

    def make(
        self,
        con: duckdb.DuckDBPyConnection,
        relation: str,
        inputs: Mapping[str, str] = NO_INPUTS,
        *,
        exists: bool = False,
    ) -> int | None:
        """Create the view or the table, or fill the table."""
        sql = renamed(self.sql, inputs) if inputs else self.sql
        if self.is_view:
            con.execute(f"create view {relation} as {sql}")
            return None
        ((rows,),) = con.execute(f"{filling(relation, exists)} {sql}").fetchall()
        return int(rows)

    def columns_read(self, relation: str) -> frozenset[str] | None:
        """Return the columns that the SELECT names of an input, or of no table in particular."""
        return columns_read(self.sql, relation)


@dataclass(frozen=True)
class PolarsModel(Model):
    """A model that is a function from frames to a frame; always a table.

    Each frame is the answer of a SELECT of `queries/frames/`, by the name of the parameter.
    """

    frames: Mapping[str, SqlModel]
    compute: Callable[..., pl.DataFrame]

    @property
    def is_view(self) -> bool:
        """False."""
        return False

    def make(
        self,
        con: duckdb.DuckDBPyConnection,
        relation: str,
        inputs: Mapping[str, str] = NO_INPUTS,
        *,
        exists: bool = False,
    ) -> int:
        """Create the table, or fill it."""
        frames = {
            name: read_frame(con, f"({renamed(each.sql, inputs)})").with_columns(
                cs.datetime().dt.convert_time_zone("UTC")
            )
            for name, each in self.frames.items()
        }
        return write_table(con, relation, self.compute(**frames), exists=exists)

    def columns_read(self, relation: str) -> frozenset[str] | None:
        """Return the columns that its SELECTs name of an input."""
        found = [
            each.columns_read(relation) for each in self.frames.values() if relation in each.reads
        ]
        return None if None in found else frozenset().union(*filter(None, found))


def polars_model(
    relation: str, compute: Callable[..., pl.DataFrame], header: Header
) -> PolarsModel:
    """A model in Python, `layer.name`; the parameters of `compute` name the frames that it gets."""
    layer, name = relation.split(".")
    file = f"{compute.__module__}.{compute.__qualname__}"
    selects = {each.name: each for each in _frames()}
    frames = {each: selects[each] for each in signature(compute).parameters}
    reads = frozenset().union(*(each.reads for each in frames.values()))
    return PolarsModel(layer, name, file, header, reads, frames, compute)


@cache
def _frames() -> list[SqlModel]:
    return read_folder("frames", folder("queries") / "frames")


@cache
def read_models(queries: Path) -> tuple[SqlModel, ...]:
    """Read the models in the layers of `queries`; ModelError for a file that is not one SELECT.

    A process reads them once: what changes later is of the next batch.
    """
    folders = [(layer, queries / _FOLDERS.get(layer, layer)) for layer in LAYERS]
    parse(sql for _, files in folders for sql in _texts(files).values())
    return tuple(model for layer, files in folders for model in read_folder(layer, files))


def read_folder(layer: str, files: Path) -> list[SqlModel]:
    """Read the files of a folder as models of a layer; ModelError as `read_models` has it."""
    texts = _texts(files)
    parse(texts.values())
    return [
        SqlModel(
            layer, path.stem, file := short_name(path), read_header(sql), references(file, sql), sql
        )
        for path, sql in texts.items()
    ]


@cache
def _texts(files: Path) -> dict[Path, str]:
    return {
        path: with_roll_ups(path.read_text(encoding="utf-8"))
        for path in sorted(files.glob("*.sql"))
    }


def short_name(path: Path) -> str:
    """Return the short path of a file of `queries/`, such as `queries/marts/fct_runs.sql`."""
    return "/".join(path.parts[-3:])


@cache
def read_header(sql: str) -> Header:
    """Parse the header of a file: its `--` lines before the first line of SQL or empty line.

    A line without a name goes on with the meaning of a column, or a field that ends with a comma,
    in the line before; others are the description.
    """
    description: list[str] = []
    lines: list[str] = []
    fields: dict[str, str] = {}
    of_columns: dict[str, dict[str, str]] = {"column": {}, "ref": {}, "values": {}, "narrow": {}}
    for line in sql.strip().split("\n"):
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        if _HEADER_FIELD.fullmatch(text):
            lines.append(text)
        elif lines and (lines[-1].startswith("column ") or lines[-1].endswith(",")):
            lines[-1] += f" {text}"
        else:
            description.append(text)
    for match in filter(None, map(_HEADER_FIELD.fullmatch, lines)):
        if column := match["column"]:
            of_columns[match[2]][column] = match["value"]
        else:
            fields[match[1].lower()] = match["value"]
    return Header(
        " ".join(description),
        _split(fields.get("key", ""), ","),
        fields.get("materialized") == "table",
        fields.get("materialized") == "view",
        fields.get("control"),
        fields.get("measure"),
        _split(fields.get("sources", ""), "|"),
        of_columns["column"],
        of_columns["ref"],
        {column: _split(values, ",") for column, values in of_columns["values"].items()},
        fields.get("narrow"),
        {table: _split(values, "|") for table, values in of_columns["narrow"].items()},
        fields.get("blocking"),
        fields.get("severity"),
        fields.get("frozen"),
        _split(fields.get("not_null", ""), ","),
    )


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


@cache
def glossary() -> dict[str, str]:
    """Return the meaning of each column name, with its unit; it is the same in every mart."""
    text = (folder("queries") / "columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text) | {each.name: each.meaning for each in measures().values()}


def comment_on(con: duckdb.DuckDBPyConnection, relation: str, header: Header) -> None:
    """Comment on a table and its columns; the header's texts override the glossary."""
    meanings = glossary() | dict(header.columns)
    comments = [f"comment on table {relation} is '{quoted(header.description)}'"]
    for column, *_ in con.execute(f"describe {relation}").fetchall():
        if meaning := meanings.get(column):
            comments.append(f"comment on column {relation}.\"{column}\" is '{quoted(meaning)}'")
    con.execute(";".join(comments))


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
        # Those of pages have most rows: begun last, they are waited for by one processor.
        ready = sorted(sorter.get_ready(), key=lambda name: (not name.startswith("reports."), name))
        ordered.extend(by_relation[relation] for relation in ready)
        sorter.done(*ready)
    return ordered
