"""Tables as the templates print them: finished texts, and what to sort them by."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from analytics.format.numbers import plural, rounding_difference, usd, usd_exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers, unless its kind says otherwise.

    The kinds are texts, names (which may be long), and drawings (which have no order).
    """

    head: str
    kind: Literal["", "text", "name", "drawing"] = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, the value that it sorts by, and what stands beside the text."""

    text: str
    sort: str | None = None
    note: str = ""
    href: str = ""
    drawing: Markup | None = None


Row: TypeAlias = "Sequence[Cell | str]"


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is the row's head.

    As `cards`, each row folds into a block of its own on a narrow screen.
    """

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    foot: Sequence[Row] = field(default_factory=tuple)
    is_sortable: bool = False
    is_cards: bool = False

    @property
    def kinds(self) -> list[str]:
        """What each column holds."""
        return [column.kind for column in self.columns]

    @property
    def heads(self) -> list[str]:
        """What stands above each column."""
        return [column.head for column in self.columns]


def money(amount: Decimal | None, unknown_count: int = 0, drawing: Markup | None = None) -> Cell:
    """A cell of US dollars, with the number of runs whose cost is unknown."""
    note = f"{plural(unknown_count, 'run')} of unknown cost" if unknown_count else ""
    return Cell(usd(amount), usd_exact(amount), note, drawing=drawing)


@dataclass(frozen=True, slots=True)
class Sum:
    """What the lines of a column of US dollars add up to; the lines may be rounded in print."""

    total: Decimal | None
    lines: Sequence[Decimal | None]

    @property
    def rounding(self) -> Decimal:
        """What the printed lines miss of the printed total."""
        if self.total is None:
            return Decimal(0)
        return rounding_difference((line for line in self.lines if line is not None), self.total)


def foot(*columns: Sum | str, label: str = "Total") -> list[Row]:
    """The total row, below a rounding row where printed lines do not add up to it."""
    rows: list[Row] = []
    roundings = [each.rounding if isinstance(each, Sum) else Decimal(0) for each in columns]
    if any(roundings):
        rows.append(["Rounding", *(usd(each) if each else "" for each in roundings)])
    totals = (usd(each.total) if isinstance(each, Sum) else each for each in columns)
    return [*rows, [label, *totals]]
