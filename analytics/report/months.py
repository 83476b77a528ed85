"""Data for the engine: a file for each entity and month, of the cubes of schema `reports`.

A file that was made of the same rows as the published one is taken over, so that a batch writes the
months that it changed. Days are numbers within the month, and money whole units of 10^-10 USD.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from analytics.report.packed import packed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import duckdb

    from analytics.report.entities import Entities, Entity, Scope
    from analytics.report.files import Files
    from analytics.report.spec import Page

KEYS: Mapping[Scope, tuple[str, ...]] = {
    "site": (),
    "workspace": ("workspace_id",),
    "agent": ("workspace_id", "agent_id"),
}
Key: TypeAlias = tuple[str, ...]
Columns: TypeAlias = dict[str, object]
TIMES = ("date", "utc_date", "week")
"""Columns that place a row in a month."""

_LARGEST = 2**52  # below it, script reads and adds whole numbers exactly
_AT_ONCE = 2_000  # files whose rows are in memory together


@dataclass(frozen=True)
class DataSet:
    """Relations that share a file, the columns that are the entity's key, and the file's prefix."""

    relations: tuple[str, ...]
    key: tuple[str, ...]
    prefix: str = ""


_SUMMARY = {  # what the summary of a choice adds up
    "site": ("rpt_workspace_days",),
    "workspace": ("rpt_days", "rpt_bill_days"),
    "agent": ("rpt_days", "rpt_bill_days"),
}
RUNS = DataSet(
    ("rpt_runs", "rpt_run_models", "rpt_run_events"), ("workspace_id", "agent_id"), "runs-"
)


def charted(pages: Iterable[Page], scope: Scope) -> DataSet:
    """Return the relations that the parts of a scope's pages follow a choice in."""
    parts = [part for page in pages if page.scope == scope for part in page.parts]
    names = {part.data for part in parts if part.period} - {*RUNS.relations}
    return DataSet(tuple(sorted({*_SUMMARY[scope], *names})), KEYS[scope])


def write(
    con: duckdb.DuckDBPyConnection,
    files: Files,
    entities: Entities,
    pages: Collection[Page],
    code: str,
) -> None:
    """Write the months of every entity, or take them over from the published site.

    `code` stands for what makes the files: if it differs, none is taken over.
    """
    with ThreadPoolExecutor(max_workers=2) as packers:  # compression leaves Python free
        for data, of in (
            (charted(pages, "site"), [entities.site]),
            (charted(pages, "workspace"), entities.workspaces),
            (charted(pages, "agent"), entities.agents),
            (RUNS, entities.agents),
        ):
            known = {each.key[: len(data.key)]: each for each in of}
            changed = iter(_changed(con, files, data, known, code).items())
            while chunk := dict(islice(changed, _AT_ONCE)):
                documents = _documents(con, data, list(chunk))
                names = [path[5:-3] for path, _ in chunk.values()]
                scripts = packers.map(packed, names, documents)
                for (path, inputs), script in zip(chunk.values(), scripts, strict=True):
                    files.write(path, script, inputs)


def _changed(
    con: duckdb.DuckDBPyConnection,
    files: Files,
    data: DataSet,
    entities: Mapping[Key, Entity],
    code: str,
) -> dict[tuple[Key, str], tuple[str, str]]:
    """Return path and inputs of each key and month whose file cannot be taken over."""
    changed = {}
    for *key, month, digest in con.execute(_digests(con, data)).fetchall():
        if (entity := entities.get(tuple(key))) is None:
            continue
        path, inputs = f"data/{entity.stem}/{data.prefix}{month}.js", f"{code}-{digest}"
        if not files.keep(path, inputs):
            changed[tuple(key), month] = path, inputs
    return changed


def _digests(con: duckdb.DuckDBPyConnection, data: DataSet) -> str:
    """Return SQL of each key and month with a digest of its rows.

    Hashes are added, not combined by "exclusive or": two equal rows must not cancel out.
    """
    key = "".join(f"{name}, " for name in data.key)
    rows = " union all ".join(
        f"select {key} {_month(con, name)} as month, hash('{name}', r) as h from reports.{name} r"
        for name in data.relations
    )
    return f"select {key} month, sum(h)::varchar from ({rows}) group by all order by all"


def _documents(
    con: duckdb.DuckDBPyConnection, data: DataSet, wanted: Sequence[tuple[Key, str]]
) -> list[dict[str, Columns]]:
    """Return the rows of each key and month as columns, by relation."""
    names = (*data.key, "month")
    columns = [list(each) for each in zip(*((*key, month) for key, month in wanted), strict=True)]
    con.execute(
        "create or replace temp table wanted as select"
        f" {', '.join(f'unnest(?::varchar[]) as {name}' for name in names)}",
        columns,
    )
    documents: dict[tuple[Key, str], dict[str, Columns]] = {each: {} for each in wanted}
    for relation in data.relations:
        month, time = _month(con, relation), _time(con, relation)
        first = "".join(f"r.{name}, " for name in data.key)
        rest = f"r.* exclude ({', '.join((*data.key, time))})"
        frame = pl.DataFrame(
            con.sql(f"""
                select {first}{month} as month, day({time}) as {time}, {rest}
                from reports.{relation} r
                semi join wanted on {month} = wanted.month
                    {"".join(f" and r.{name} = wanted.{name}" for name in data.key)}
                order by all""")
        )
        for key, rows in _parts(frame, names):
            documents[key[:-1], key[-1]][relation] = rows
    return list(documents.values())


def _parts(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[Key, Columns]]:
    """Yield each key with its rows as columns; the rows of a key stand together."""
    keys = frame.select(pl.struct(names).rle().alias("runs")).unnest("runs")
    columns = {name: _values(frame[name]) for name in frame.columns if name not in names}
    texts = {name for name in columns if frame.schema[name] == pl.String}
    start = 0
    for length, key in keys.iter_rows():
        rows = slice(start, start := start + length)
        yield (
            tuple(key.values()),
            {
                name: coded(values[rows]) if name in texts else values[rows]
                for name, values in columns.items()
            },
        )


def encoded(frame: pl.DataFrame) -> Columns:
    """Return a frame as columns that the engine reads."""
    return {
        name: coded(_values(frame[name]))
        if frame.schema[name] == pl.String
        else _values(frame[name])
        for name in frame.columns
    }


def coded(texts: Sequence[object]) -> Columns:
    """Return texts as the different ones, and the place of each row's among them."""
    places: dict[object, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return {"keys": list(places), "codes": codes}


def _values(column: pl.Series) -> list[object]:
    """Return values as JSON holds them: money and instants as whole numbers."""
    kind = column.dtype
    if isinstance(kind, pl.Decimal):
        whole = column.to_physical().to_list()
        if any(value is not None and abs(value) >= _LARGEST for value in whole):
            return [str(value) if abs(value or 0) >= _LARGEST else value for value in whole]
        return whole
    if isinstance(kind, pl.Datetime):
        return column.dt.epoch("s").to_list()
    if kind == pl.Boolean:
        return column.cast(pl.Int8).to_list()
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Decimal):
        return [None if each is None else _values(each) for each in column]
    return column.to_list()


def _month(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    return f"strftime(r.{_time(con, relation)}, '%Y-%m')"


def _time(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    columns = [name for name, *_ in con.execute(f"describe reports.{relation}").fetchall()]
    return next(name for name in TIMES if name in columns)
