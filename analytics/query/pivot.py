"""A PIVOT without lists of values, which DuckDB runs as several statements, written out as one.

A text is only cut to pieces here, and nothing is run: who asks for the values judges that SELECT,
and who runs the text that is made of them judges it as any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from analytics.warehouse.database import quoted

_WORD = re.compile(rb"\w+|.", re.DOTALL)
_PIVOT = (b"pivot", b"pivot_wider")
_AFTER = (b"using", b"group", b"order", b"limit", b"offset")


def written_out(sql: str, values: Callable[[str], list[str]]) -> str | None:
    """Return `PIVOT t ON x` as `PIVOT t ON (x) IN ('a', 'b')`; None for any other text.

    `values` answers a SELECT of one column.
    """
    text, words = sql.encode(), _outer_words(sql)
    pivot, name = next((each for each in words if each[1] in _PIVOT), (0, b""))
    on = next((at for at, word in words if at > pivot and word == b"on"), None)
    if not name or on is None or words[0][1] not in (b"with", *_PIVOT):
        return None
    end = next((at for at, word in words if at > on and word in _AFTER), len(text))
    commas = [at for at, word in words if on < at < end and word == b","]
    before, source = text[:pivot].decode(), text[pivot + len(name) : on].decode()
    columns, is_whole = [], True
    for first, last in zip([on + 1, *commas], [*commas, end], strict=True):
        column = text[first + 1 : last].decode()
        if not any(first < at < last and word == b"in" for at, word in words):
            found = values(
                f"{before}select distinct ({column})::varchar from {source}"
                f" where ({column}) is not null order by 1"
            )
            listed = ", ".join(f"'{quoted(value)}'" for value in found)
            column, is_whole = f" ({column}) in ({listed}) ", False
        columns.append(column)
    return None if is_whole else f"{text[:on].decode()}on{','.join(columns)}{text[end:].decode()}"


def _outer_words(sql: str) -> list[tuple[int, bytes]]:
    """Return the words and marks that stand in no brackets, in small letters, and their places."""
    text, depth, found = sql.encode(), 0, []
    for at, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.comment or not (match := _WORD.match(text, at)):
            continue
        word = match[0].lower()
        depth -= word in (b")", b"]", b"}")
        if not depth:
            found.append((at, word))
        depth += word in (b"(", b"[", b"{")
    return found
