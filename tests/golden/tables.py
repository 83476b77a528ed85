"""Published tables as text, and what differs between two versions of them.

A golden file holds the tables of one world: name and count of rows, columns, and rows in the order
of their key. From LONGEST rows on, a hash of each column stands in place of the rows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import duckdb

LONGEST = 2_000
NULL = r"\N"
ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}

Names = dict[str, dict[str, str]]
"""The tables of `names.toml`; the names in them are golden ones, but for what `renamed` gives."""

NAMES: Names = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))


@dataclass
class Table:
    """The texts of each column in the order of the key, or in a long golden table their hash."""

    row_count: int
    columns: dict[str, Sequence[str]]

    @property
    def is_long(self) -> bool:
        return self.row_count >= LONGEST

    def hash_of(self, column: str) -> str:
        texts = self.columns[column]
        if isinstance(texts, str):
            return texts
        return sha256("\n".join(texts).encode()).hexdigest()[:16]

    def rows(self, columns: Sequence[str]) -> list[tuple[str, ...]]:
        return list(zip(*(self.columns[name] for name in columns), strict=True))


def published(file: Path, names: Names = NAMES) -> dict[str, Table]:
    """Read the tables of a published file, those that are there, by their golden names."""
    with duckdb.connect(str(file), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        there: dict[str, dict[str, str]] = {}
        for table, column, type_ in con.execute(
            "select concat_ws('.', table_schema, table_name), column_name, data_type"
            " from information_schema.columns"
        ).fetchall():
            there.setdefault(table, {})[column] = type_
        return {
            name: _published(con, name, there[today], names)
            for name in names["keys"]
            if (today := names["renamed"].get(name, name)) in there
        }


def _published(
    con: duckdb.DuckDBPyConnection, name: str, types: dict[str, str], names: Names
) -> Table:
    moved = {
        was.removeprefix(f"{name}."): now
        for was, now in names["renamed"].items()
        if was.startswith(f"{name}.") and now in types
    }
    today = {column: column for column in types if column not in moved.values()} | moved
    key = [column for column in names["keys"][name].split() if column in today]
    columns = [*key, *sorted(today.keys() - set(key))]
    texts = ", ".join(
        f"coalesce({_text(f'{name}.{was}', today[was], types[today[was]], names)}, '{NULL}')"
        for was in columns
    )
    table, only = names["renamed"].get(name, name), names["only"].get(name, "true")
    rows = sorted(con.execute(f"select {texts} from {table} where {only}").fetchall())
    texts_of = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return Table(len(rows), dict(zip(columns, texts_of, strict=True)))


def _text(name: str, today: str, type_: str, names: Names) -> str:
    """Return the SQL of a value's text, which no machine writes otherwise."""
    if name in names["masked"]:
        return f"case when \"{today}\" is not null then '*' end"
    table, _, column = name.rpartition(".")
    if type_ == "DOUBLE" or column in names["estimated"].get(table, "").split():
        return f"format('{{:.9g}}', \"{today}\"::double)"
    text = f'"{today}"::varchar'
    if type_.startswith("DECIMAL"):
        return f"rtrim(rtrim({text}, '0'), '.')"  # as all of them have decimals
    for character, escaped in ESCAPED.items():
        text = f"replace({text}, chr({ord(character)}), '{escaped}')"
    return text


def read(file: Path) -> dict[str, Table]:
    """Read a golden file."""
    tables = {}
    for part in file.read_text(encoding="utf-8").split("\n\n"):
        (name, count), *lines = (line.split("\t") for line in part.strip("\n").split("\n"))
        table = tables[name] = Table(int(count), {})
        if table.is_long:
            table.columns = dict(lines)
        else:
            table.columns = {column: texts for column, *texts in zip(*lines, strict=True)}
    return tables


def write(file: Path, tables: dict[str, Table]) -> None:
    """Write a golden file."""
    parts = []
    for name, table in sorted(tables.items()):
        if table.is_long:
            lines = [(column, table.hash_of(column)) for column in table.columns]
        else:
            lines = [tuple(table.columns), *table.rows(list(table.columns))]
        parts.append(["\t".join(line) for line in ((name, str(table.row_count)), *lines)])
    text = "\n\n".join("\n".join(part) for part in parts)
    file.write_text(f"{text}\n", encoding="utf-8")


def differences(
    golden: dict[str, Table], now: dict[str, Table], names: Names = NAMES
) -> Iterator[str]:
    """Yield a line for each table and column that is not as it was, with the first row of it."""
    for name, was in golden.items():
        if name in now and name not in names["dropped"]:
            yield from _of_table(name, was, now[name], names)
        elif name in now or name not in names["dropped"]:
            yield _gone(name, is_there=name in now)
    for name in now.keys() - golden.keys():
        yield f"{name} is not among the golden tables yet"


def news(golden: dict[str, Table], now: dict[str, Table]) -> list[str]:
    """Return a line for each new column, which is no difference."""
    return [
        f"{name}.{column} is new"
        for name in golden.keys() & now.keys()
        for column in now[name].columns
        if column not in golden[name].columns
    ]


def _gone(name: str, *, is_there: bool) -> str:
    if is_there:
        return f"{name} is there, though names.toml has it under [dropped]"
    return f"{name} is gone: names.toml must have it under [renamed] or [dropped]"


def _of_table(name: str, was: Table, now: Table, names: Names) -> Iterator[str]:
    kept = []
    for column in was.columns:
        if (f"{name}.{column}" in names["dropped"]) == (column in now.columns):
            yield _gone(f"{name}.{column}", is_there=column in now.columns)
        elif column in now.columns:
            kept.append(column)
    if was.row_count != now.row_count:
        yield f"{name}: {now.row_count:,} rows, {was.row_count:,} before"
    if not was.is_long and not now.is_long:
        key = [column for column in names["keys"][name].split() if column in kept]
        yield from _of_rows(name, was, now, key, kept)
    elif was.row_count == now.row_count:
        for column in kept:
            if was.hash_of(column) != now.hash_of(column):
                yield f"{name}.{column} differs in rows that are too many to be kept"


def _of_rows(
    name: str, was: Table, now: Table, key: list[str], columns: list[str]
) -> Iterator[str]:
    old = dict(zip(was.rows(key), was.rows(columns), strict=True))
    new = dict(zip(now.rows(key), now.rows(columns), strict=True))
    both = [row for row in old if row in new]
    yield from _first(name, key, [row for row in old if row not in new], "is gone")
    yield from _first(name, key, [row for row in new if row not in old], "is new")
    doubled = [row for row, following in pairwise(now.rows(key)) if row == following]
    yield from _first(name, key, doubled, "is there twice")
    for place, column in enumerate(columns):
        changed = [row for row in both if old[row][place] != new[row][place]]
        text = f"has {new[changed[0]][place]}, {old[changed[0]][place]} before" if changed else ""
        yield from _first(f"{name}.{column}", key, changed, text)


def _first(name: str, key: list[str], rows: list[tuple[str, ...]], text: str) -> Iterator[str]:
    """Yield a line about the first of these rows, if there is one."""
    if rows:
        where = ", ".join(map(" ".join, zip(key, rows[0], strict=True)))
        more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
        yield f"{name}: the row of {where} {text}{more}"
