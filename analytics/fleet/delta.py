"""Schema `marts` as Delta Lake tables, for engines that do not read DuckDB files.

Names, types, comments and the order of columns are DuckDB's. A table of facts is partitioned by
`workspace_id` and `month`; its `month` is added as the last column if it has none of its own. A
merge replaces the partitions that changed, in one commit a table, so a reader sees the table
before it or after it; of two merges that write one table at once, the later commit fails.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import TYPE_CHECKING, TypeAlias

from arro3.core import RecordBatchReader
from arro3.core import Schema as ArrowSchema
from deltalake import (
    DeltaTable,
    Schema,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from analytics.errors import AnalyticsError
from analytics.fleet.merged_file import Partition
from analytics.warehouse.database import quoted

if TYPE_CHECKING:
    import duckdb

_WORKSPACE, _MONTH = "workspace_id", "month"
_DAYS = (_MONTH, "date", "utc_date")
_DAY_TYPES = ("DATE", "TIMESTAMP WITH TIME ZONE")
_CAUSE_LENGTH = 500
_ARROW = re.compile(r"\s*(\x1b\[\d*m|↳)+\s*")  # between an error of delta-rs and its cause


Digests: TypeAlias = Mapping[Partition, str]
"""Row count and sum of hashes of each partition."""


@dataclass(frozen=True)
class Tables:
    """A place of Delta tables, one folder each: a local folder, or an s3://, gs:// or az:// URL.

    Keys of a storage are those of the environment (`AWS_…`).
    """

    url: str

    def address(self, name: str) -> str:
        """Return the address of a table."""
        return f"{self.url.rstrip('/')}/{name}"

    def find(self, name: str) -> DeltaTable | None:
        """Open a table; None if there is none. AnalyticsError if it cannot be read."""
        with _storage_errors(self, name, "read"):
            try:
                return DeltaTable(self.address(name))
            except TableNotFoundError:
                return None


@dataclass(frozen=True)
class Mart:
    """A table of schema `marts`: its columns in order, each with its DuckDB type and comment."""

    name: str
    comment: str | None
    types: Mapping[str, str]
    comments: Mapping[str, str | None]

    @property
    def is_of_workspaces(self) -> bool:
        """True if each row is of one workspace; the rows of a budget may be of several."""
        return "scope" not in self.types

    @property
    def day(self) -> str | None:
        """The column that decides the month of a row; None in tables without months.

        That is `month`, `date` or `utc_date`, else the first date, else the first instant.
        """
        if self.name.startswith("dim_") or not self.is_of_workspaces:
            return None
        by_type = (name for type_ in _DAY_TYPES for name in self.types if self.types[name] == type_)
        return next((name for name in _DAYS if name in self.types), next(by_type, None))

    @property
    def partition_by(self) -> list[str]:
        """The columns that the table is partitioned by; list prices are of no workspace."""
        if self.day:
            return [_WORKSPACE, _MONTH]
        return [_WORKSPACE] if _WORKSPACE in self.types else []

    def select(self, rows: str) -> str:
        """Return SQL that yields rows as the table holds them."""
        if self.day is None or self.day == _MONTH:
            return f"select * from ({rows})"
        return f"select *, date_trunc('month', {self.day})::date as {_MONTH} from ({rows})"

    def comment_on(self, column: str) -> str | None:
        """Return the comment of a column, the added month included."""
        if column == _MONTH and column not in self.types:
            return f"First day of the month of {self.day}; the table is partitioned by it."
        return self.comments.get(column)


def read_mart(con: duckdb.DuckDBPyConnection, name: str, catalog: str, rows: str) -> Mart:
    """Read the columns of the rows of a mart, and its comments from an attached file."""
    columns = con.execute(f"describe select * from ({rows})").fetchall()
    place = [catalog, "marts", name]
    found = con.execute(
        "select comment from duckdb_tables()"
        " where (database_name, schema_name, table_name) = (?, ?, ?)",
        place,
    ).fetchone()
    comments = con.execute(
        "select column_name, comment from duckdb_columns()"
        " where (database_name, schema_name, table_name) = (?, ?, ?)",
        place,
    ).fetchall()
    types = {column: type_ for column, type_, *_ in columns}
    return Mart(name, found[0] if found else None, types, dict(comments))


def digests(con: duckdb.DuckDBPyConnection, mart: Mart, rows: str) -> dict[Partition, str]:
    """Return the digest of each partition that rows fall into; equal rows in any order are equal.

    A new version of DuckDB may hash differently; then every partition counts as changed.
    """
    columns = ", ".join(f'"{name}"' for name in mart.types)
    selected = ", ".join([*mart.partition_by, f"count(*) || ':' || sum(hash({columns}))"])
    with _in_utc(con) as cursor:
        found = cursor.execute(
            f"select {selected} from ({mart.select(rows)}) group by all"
        ).fetchall()
    return {Partition(*key): digest for *key, digest in found}


def replace_changed(
    con: duckdb.DuckDBPyConnection,
    tables: Tables,
    mart: Mart,
    rows: str,
    *,
    old: Digests,
    new: Digests,
) -> int:
    """Replace the partitions of a table that changed, in one commit; return their number.

    `rows` is SQL that yields all rows of the table, `new` their digests, and `old` the digests when
    the last merge completed. Partitions that have no rows any more are removed. Where nothing
    changed, there is no commit; where a column, a type or a comment did, the whole table is
    replaced.

    AnalyticsError if another merge writes the table now, or if the storage fails; it is then as it
    was.
    """
    table = tables.find(mart.name)
    schema = _schema(con, mart, rows)
    touched = None if table is None or _differs(table, mart, schema) else _touched(table, old, new)
    if touched and not mart.partition_by:
        touched = None
    if touched or touched is None:
        with _storage_errors(tables, mart.name, "written"), _in_utc(con) as cursor:
            _write(cursor, tables, table, mart, rows, schema, touched)
    if table is not None and table.metadata().description != mart.comment:
        with _storage_errors(tables, mart.name, "written"):
            table.update_incremental()
            table.alter.set_table_description(mart.comment or "")
    return len(new if touched is None else touched)


def vacuum(tables: Tables, name: str, keep: timedelta) -> int:
    """Remove the files of a table that no version of the last `keep` needs; return their number.

    Also those that killed merges left. The log is condensed into a checkpoint, and its entries
    older than the table's `delta.logRetentionDuration` (30 days) are removed.
    """
    table = tables.find(name)
    if table is None:
        return 0
    hours = ceil(keep / timedelta(hours=1))
    with _storage_errors(tables, name, "cleaned up"):
        removed = table.vacuum(
            retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True
        )
        table.create_checkpoint()
        table.cleanup_metadata()
    return len(removed)


def _write(
    cursor: duckdb.DuckDBPyConnection,
    tables: Tables,
    table: DeltaTable | None,
    mart: Mart,
    rows: str,
    schema: ArrowSchema,
    touched: Collection[Partition] | None,
) -> None:
    """Stream rows into a table: of the touched partitions, or all for None."""
    predicate = _predicate(mart, touched) if touched else None
    order = ", ".join(dict.fromkeys([*mart.partition_by, *filter(None, [mart.day])])) or "all"
    stream = RecordBatchReader.from_arrow(
        cursor.sql(
            f"select * from ({mart.select(rows)}) where {predicate or 'true'} order by {order}"
        )
    )
    commented = RecordBatchReader.from_batches(
        schema, (batch.with_schema(schema) for batch in stream)
    )
    writer = WriterProperties(compression="ZSTD")
    if table is None:
        write_deltalake(
            tables.address(mart.name),
            commented,
            mode="error",  # of two merges that create it, one fails
            partition_by=mart.partition_by,
            name=mart.name,
            description=mart.comment,
            writer_properties=writer,
        )
    else:
        write_deltalake(
            table,
            commented,
            mode="overwrite",
            predicate=predicate,
            schema_mode=None if predicate else "overwrite",
            partition_by=mart.partition_by,
            writer_properties=writer,
        )


def _schema(con: duckdb.DuckDBPyConnection, mart: Mart, rows: str) -> ArrowSchema:
    """Return the Arrow schema of a table, with its comments."""
    with _in_utc(con) as cursor:
        bare = RecordBatchReader.from_arrow(cursor.sql(f"{mart.select(rows)} limit 0")).schema
    fields = []
    for column in map(bare.field, bare.names):
        comment = mart.comment_on(column.name)
        fields.append(column.with_metadata({"comment": comment}) if comment else column)
    return ArrowSchema(fields)


def _differs(table: DeltaTable, mart: Mart, schema: ArrowSchema) -> bool:
    """Return whether a table has other columns, types, comments or partitions than a mart."""
    if table.metadata().partition_columns != mart.partition_by:
        return True
    return bool(table.schema().to_json() != Schema.from_arrow(schema).to_json())


def _touched(table: DeltaTable, old: Digests, new: Digests) -> set[Partition]:
    """Return the partitions that are new, changed, or without rows now."""
    changed = {partition for partition, digest in new.items() if old.get(partition) != digest}
    return changed | ({_partition(values) for values in table.partitions()} - new.keys())


def _partition(values: Mapping[str, str | None]) -> Partition:
    month = values.get(_MONTH)
    return Partition(values.get(_WORKSPACE) or "", date.fromisoformat(month) if month else None)


def _predicate(mart: Mart, partitions: Collection[Partition]) -> str:
    """Return SQL, of DuckDB and of delta-rs, that is true for the rows of partitions."""
    months: defaultdict[date | None, list[str]] = defaultdict(list)
    for workspace_id, month in sorted(partitions, key=str):
        months[month].append(f"'{quoted(workspace_id)}'")
    terms = []
    for month, names in months.items():
        term = f"{_WORKSPACE} in ({', '.join(names)})"
        if mart.day is not None:
            term += f" and {_MONTH} = '{month}'" if month else f" and {_MONTH} is null"
        terms.append(f"({term})")
    return " or ".join(terms)


@contextmanager
def _in_utc(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to the same files: instants are in UTC, and `con` stays free."""
    with con.cursor() as cursor:
        cursor.execute("set TimeZone = 'UTC'")
        yield cursor


@contextmanager
def _storage_errors(tables: Tables, name: str, done: str) -> Iterator[None]:
    """Turn errors of delta-rs and of the storage into AnalyticsError."""
    try:
        yield
    except CommitFailedError as error:
        raise AnalyticsError(
            f"Another merge wrote table {name} in {tables.url} at the same time.\n"
            "This one stopped: start it again when the other one has ended."
        ) from error
    except (DeltaError, OSError, ValueError) as error:
        cause = " ".join(_ARROW.sub(": ", str(error)).split())[:_CAUSE_LENGTH]
        raise AnalyticsError(
            f"Table {name} in {tables.url} could not be {done}: {cause}\n"
            "The table is as it was; see to the storage and its keys, and merge again."
        ) from error
