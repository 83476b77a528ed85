"""CSV files of `finance/` as tables. The name of a column gives its type, as in our own tables.

    *_usd                                     DECIMAL(38, 10), every digit as it stands
    *_count, tokens_*                         BIGINT
    date, *_date, *_on, valid_from, valid_to  DATE, written 2026-11-30
    month                                     DATE, written 2026-11 or 2026-11-01
    any other                                 VARCHAR

An empty field is null. A value that does not fit is an error with file and line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl

from analytics.finance.fields import read_amount, read_count, read_day, read_month, shown
from analytics.project.files import UserFile

_HEADING = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def read_csv(file: UserFile) -> pl.DataFrame:
    """Return the rows of a file; ValueError, in one line with file and line, if it is not right."""
    reader = csv.reader(io.StringIO(file.text, newline=""), strict=True)
    try:
        names = _header(reader)
        rows = [_row(names, fields) for fields in reader if fields]
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{file.file}:{max(reader.line_num, 1)}: {error}") from None
    return pl.DataFrame(rows, {name: _kind(name)[0] for name in names}, orient="row")


def _header(reader: Iterator[list[str]]) -> list[str]:
    names = [name.strip() for name in next(reader, [])]
    if not names:
        raise ValueError("there is no header: the first line names the columns")
    if wrong := [name for name in names if not _HEADING.fullmatch(name)]:
        raise ValueError(
            f"`{shown(wrong[0])}` is no name of a column: use letters, digits and _, and no digit"
            " first"
        )
    lowered = [name.lower() for name in names]
    if twice := [name for name in lowered if lowered.count(name) > 1]:
        raise ValueError(f"two columns are named {twice[0]}")
    return names


def _row(names: Sequence[str], fields: Sequence[str]) -> list[Any]:
    if len(fields) != len(names):
        raise ValueError(f"{len(fields)} fields, where the header has {len(names)}")
    return [_value(name, field) for name, field in zip(names, fields, strict=True)]


def _value(name: str, field: str) -> Any:
    if not field.strip():
        return None
    _, read = _kind(name)
    try:
        return read(field)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


@cache
def _kind(name: str) -> tuple[pl.DataType, Callable[[str], Any]]:
    """Return the type of a column of this name, and the function that reads a field."""
    name = name.lower()
    if name.endswith("_usd"):
        return pl.Decimal(38, 10), read_amount
    if name.endswith("_count") or name.startswith("tokens_"):
        return pl.Int64(), read_count
    if name == "month":
        return pl.Date(), read_month
    if name in ("date", "valid_from", "valid_to") or name.endswith(("_date", "_on")):
        return pl.Date(), read_day
    return pl.String(), str
