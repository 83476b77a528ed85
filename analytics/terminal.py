"""Safe text for terminals: foreign text must not move the cursor or turn the text direction.

In tables, names break on a narrow terminal, and figures stay whole. Of long work, each part is told
before it begins.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO, TypeAlias, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

T = TypeVar("T")

Before: TypeAlias = Callable[[int, int, str], object]
"""Gets the number of the part that begins (the first is 1), of how many, and its name."""

_ACTIVE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_ACTIVE_IN_TEXT = re.compile(f"[{_ACTIVE}]")
_ACTIVE_IN_JSON = re.compile(f"[{_ACTIVE}\ud800-\udfff]")
NO_WIDTH = 10_000
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def escaped(text: str) -> str:
    """Return text with each unprintable character escaped, line breaks included."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def linked(text: str, address: str) -> str:
    """Return text that leads to an address in a terminal that knows links, which takes no room."""
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if address else text


def escaped_lines(text: str) -> str:
    """Escape a text of several lines, and keep its line breaks."""
    return "\n".join(escaped(line) for line in text.split("\n"))


def escaped_text(text: str) -> str:
    """Escape control characters but line breaks and tabs, and marks of the text direction."""
    return _ACTIVE_IN_TEXT.sub(lambda found: escaped(found[0]), text)


def escaped_json(text: str, encoding: str | None) -> str:
    r"""Write the same characters of a JSON text as \u…, and all that an encoding cannot hold."""
    pattern = _ACTIVE_IN_JSON if (encoding or "utf-8").lower().startswith("utf") else _NOT_ASCII
    return pattern.sub(lambda found: json.dumps(found[0])[1:-1], text)


def console(file: TextIO | None = None, *, soft_wrap: bool = False) -> Console:
    """Return a console on which names are as they are, by default on standard output.

    It knows no markup and no emoji.

    In a pipe, lines are not wrapped; with `soft_wrap`, a terminal wraps them itself.
    """
    from rich.console import Console

    out = file or sys.stdout
    return Console(
        file=out,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=soft_wrap,
        width=None if out.isatty() else NO_WIDTH,
    )


def add_figures(table: Table, heads: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Add the columns of figures that end each row, as wide as their longest one."""
    for place, head in enumerate(heads):
        longest = max((len(row[place - len(heads)]) for row in rows), default=0)
        table.add_column(head, justify="right", no_wrap=True, min_width=longest)


def tracked(parts: Sequence[T], before: Before | None, name: Callable[[T], str]) -> Iterator[T]:
    """Yield parts, and report each by its name before."""
    for number, part in enumerate(parts, start=1):
        if before:
            before(number, len(parts), name(part))
        yield part
