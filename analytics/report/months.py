"""Data for the engine: a file for each entity and month, of what pages follow a choice in.

A file that was made of the same rows as the published one is taken over, so that a batch writes the
months that it changed. Money is in whole units of 10^-10 USD. Columns have no names in a file: they
stand in the order of `layout`, which is the same for all files of a scope.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from analytics.report.files import packed
from analytics.terminal import tracked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import duckdb

    from analytics.report.entities import Entities, Entity, Scope
    from analytics.report.files import Files
    from analytics.report.spec import Page
    from analytics.terminal import Before

KEYS: Mapping[Scope, tuple[str, ...]] = {
    "site": (),
    "workspace": ("workspace_id",),
    "month": ("workspace_id", "month"),
    "agent": ("workspace_id", "agent_id"),
}
Key: TypeAlias = tuple[Any, ...]
Columns: TypeAlias = dict[str, object]
Rows: TypeAlias = "dict[str, list[Any]]"
TIMES = ("date", "utc_date", "week")
"""Columns that place a row in a month."""

_LARGEST = 2**52  # below it, script reads and adds whole numbers exactly
_AT_ONCE = 2_000  # files whose rows are in memory together


_ALWAYS: Mapping[Scope, tuple[str, ...]] = {  # what cards are of, and what runs open into
    "site": ("rpt_days",),
    "workspace": ("rpt_days",),
    "agent": ("rpt_days", "rpt_run_models", "rpt_run_events"),
}
_UNREAD = {  # columns that no page shows
    "rpt_days": (
        "listed_run_count", "unlisted_run_count", "unlisted_failed_count", "platform_cost_usd",
        "unlisted_cost_usd", "failed_cost_likely_usd",
    ),
    "rpt_runs": ("has_log",),
}  # fmt: skip


def key_of(entity: Entity, names: Iterable[str]) -> Key:
    """Return an entity's values of some of `workspace_id`, `agent_id` and `month`."""
    return tuple(getattr(entity, name) for name in names)


def layout(
    con: duckdb.DuckDBPyConnection, pages: Iterable[Page], scope: Scope
) -> dict[str, list[str]]:
    """Return the relations in which parts of a scope's pages follow a choice, with their columns.

    These stand in the order in which files hold them, the time first.
    """
    parts = [part for page in pages if page.scope == scope for part in page.parts]
    relations = {*_ALWAYS.get(scope, ()), *(part.data for part in parts if part.chosen)}
    relations |= {each.data for part in parts for each in part.split if each.data}
    columns = {}
    for relation in sorted(relations):
        found = con.sql(f"from {relation}").columns
        time = next(name for name in found if name in TIMES)
        left_out = {*KEYS[scope], time, *_UNREAD.get(relation, ())}
        columns[relation] = [time, *(name for name in found if name not in left_out)]
    return columns


def write(
    con: duckdb.DuckDBPyConnection,
    files: Files,
    entities: Entities,
    pages: Collection[Page],
    code: str,
    before: Before | None = None,
) -> None:
    """Write the months of every entity, or take them over from the published site.

    `code` stands for what makes the files: if it differs, none is taken over. `before` is told of
    each file that is written.
    """
    scopes: tuple[Scope, ...] = ("site", "workspace", "agent")
    with ThreadPoolExecutor(max_workers=2) as packers:  # compression leaves Python free
        for scope in scopes:
            names, columns = KEYS[scope], layout(con, pages, scope)
            known = {key_of(each, names): each for each in entities.of(scope)}
            changed = _changed(con, files, names, columns, known, code)
            keys = [*changed]
            titles = {key: f"{known[key[:-1]].name}, {key[-1]:%Y-%m}" for key in keys}
            parts = tracked(keys, before, titles.__getitem__)
            for start in range(0, len(keys), _AT_ONCE):
                chunk = keys[start : start + _AT_ONCE]
                documents = _documents(con, names, columns, chunk)
                scripts = packers.map(packed, documents)
                for key, script in zip(islice(parts, len(chunk)), scripts, strict=True):
                    path, inputs = changed[key]
                    files.write(path, script, inputs)


def _changed(
    con: duckdb.DuckDBPyConnection,
    files: Files,
    names: Key,
    columns: Mapping[str, list[str]],
    entities: Mapping[Key, Entity],
    code: str,
) -> dict[Key, tuple[str, str]]:
    """Return path and inputs of each key and month whose file cannot be taken over."""
    changed = {}
    for *key, month, digest in con.execute(_digests(names, columns)).fetchall():
        if (entity := entities.get(tuple(key))) is None:
            continue
        path, inputs = f"data/{month:%Y-%m}/{entity.stem}.js", f"{code}-{digest}"
        if not files.keep(path, inputs):
            changed[*key, month] = path, inputs
    return changed


def _digests(names: Key, columns: Mapping[str, list[str]]) -> str:
    """Return SQL of each key and month with a digest of its rows and of their columns.

    Hashes are added, not combined by "exclusive or": two equal rows must not cancel out.
    """
    key = "".join(f"{name}, " for name in names)
    rows = " union all ".join(
        f"select {key} date_trunc('month', r.{time})::date as month,"
        f" hash('{relation} {' '.join([time, *others])}', r) as h from {relation} r"
        for relation, (time, *others) in columns.items()
    )
    return f"select {key} month, sum(h)::varchar from ({rows}) group by all order by all"


def _documents(
    con: duckdb.DuckDBPyConnection,
    names: Key,
    columns: Mapping[str, list[str]],
    wanted: Sequence[Key],
) -> list[dict[str, list[object]]]:
    """Return the rows of each key and month as columns, by relation.

    They are sorted by the number of the key: to compare two keys, which are long, takes longer.
    """
    names = (*names, "month")
    keys = [f"unnest(?::{'date' if each == 'month' else 'varchar'}[]) as {each}" for each in names]
    con.execute(
        "create or replace temp table wanted as select unnest(range(?)) as number,"
        f" {', '.join(keys)}",
        [len(wanted), *map(list, zip(*wanted, strict=True))],
    )
    documents: list[dict[str, list[object]]] = [{} for _ in wanted]
    for relation, (time, *others) in columns.items():
        frame = pl.DataFrame(
            con.sql(f"""
                select number, day({time}) as {time}, {", ".join(others)}
                from (select *, date_trunc('month', {time})::date as month from {relation})
                join wanted using ({", ".join(names)})
                order by all""")
        )
        texts = {name for name in others if frame.schema[name] == pl.String}
        for number, rows in _parts(frame):
            documents[number][relation] = _filed(rows, texts)
    return documents


def _parts(frame: pl.DataFrame) -> Iterator[tuple[int, Rows]]:
    """Yield each number with its rows as columns; the rows of a number stand together."""
    numbers, *others = frame.columns
    columns = {name: _values(frame[name]) for name in others}
    start = 0
    for length, number in frame[numbers].rle().struct.unnest().iter_rows():
        rows = slice(start, start := start + length)
        yield number, {name: values[rows] for name, values in columns.items()}


def _filed(rows: Rows, texts: Collection[str]) -> list[object]:
    """Return columns as a file holds them; the engine's `decode` is the reverse.

    The first one is the day within the month: of each row, the days since the row before. Money
    that is mostly the same as in the column before is told by the rows that differ.
    """
    (_, days), *others = rows.items()
    filed: list[object] = [[day - before for before, day in pairwise([0, *days])]]
    before: list[Any] = []
    for name, values in others:
        if name in texts:
            filed.append(coded(values))
        elif name.endswith("_usd") and len(but := _different(before, values)) < len(values) / 4:
            filed.append({"but": but})
        else:
            filed.append(values)
        before = values if name.endswith("_usd") else []
    return filed


def _different(before: Sequence[object], values: Sequence[object]) -> dict[int, object]:
    """Return the values that are not the same as before, by row; all of them without any before."""
    if not before:
        return dict(enumerate(values))
    pairs = enumerate(zip(before, values, strict=True))
    return {row: value for row, (other, value) in pairs if value != other}


def encoded(frame: pl.DataFrame) -> Columns:
    """Return a frame as columns that the engine reads."""
    return {
        name: coded(_values(frame[name]))
        if frame.schema[name] == pl.String
        else _values(frame[name])
        for name in frame.columns
    }


def coded(texts: Sequence[object]) -> Columns:
    """Return texts as the different ones, and the place of each row's among them.

    Where all differ, the places are left out.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = [*map(places.__getitem__, texts)] if len(places) < len(texts) else None
    return {"keys": list(places)} | ({"codes": codes} if codes else {})


def readable(values: Iterable[int | None]) -> list[object]:
    """Return whole numbers, of which those that script would round are texts."""
    return [str(each) if each and abs(each) >= _LARGEST else each for each in values]


def _values(column: pl.Series) -> list[object]:
    """Return values as JSON holds them: money and instants as whole numbers."""
    kind = column.dtype
    if isinstance(kind, pl.Decimal):
        whole = column.to_physical()
        return readable(whole) if (whole.abs() >= _LARGEST).any() else whole.to_list()
    if isinstance(kind, pl.Datetime):
        return column.dt.epoch("s").to_list()
    if kind == pl.Boolean:
        return column.cast(pl.Int8).to_list()
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Decimal):
        return [None if each is None else _values(each) for each in column]
    return column.to_list()
