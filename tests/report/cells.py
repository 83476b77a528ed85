"""How the figures of a table are said: cells as pages print them, and as SQL's values should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from analytics.format import numbers
from analytics.format.days import Period
from tests.report.pages import Element, Page


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, the note below it, and the exact value behind it."""

    text: str
    note: str = ""
    exact: str | None = None


@dataclass(frozen=True)
class Question:
    """How the cells of a table are printed, from the rows of which SQL; and those of its total.

    `cells` says of each column how it is printed and from which values: `usd cost`, `rate failed
    finished`; `_` is no figure, `&` leads to a note, and nothing is blank.

    It is of the recent days, unless `is_charted`. A page that was built lists no more than `built`
    rows.
    """

    cells: str
    sql: str
    total: str = ""
    total_sql: str = ""
    is_charted: bool = False
    built: int | None = None


def of_page(page: Page, key: str) -> list[list[Cell]]:
    """The rows of a table of a built page, without its head and its line "Rounding"."""
    (table,) = page.root.all("table", id=key)
    rows = [[_cell(each) for each in row.children] for row in table.all("tr")[1:]]
    return [row for row in rows if row[0].text != "Rounding"]


def _cell(element: Element) -> Cell:
    note = "".join(each.text for each in element.all("small"))
    return Cell(element.text.removesuffix(note), note, element.attributes.get("data-v"))


def differences(
    cells: str,
    rows: Sequence[Mapping[str, Any]],
    shown: Sequence[Sequence[Cell]],
) -> list[str]:
    """What a table says otherwise than SQL, cell by cell."""
    wanted = [each.strip() for each in cells.split("|")]
    found = [] if len(rows) == len(shown) else [f"{len(shown)} rows, not {len(rows)}: {shown[:1]}"]
    for row, line in zip(rows, shown, strict=False):
        if len(line) != len(wanted):
            found.append(f"{len(line)} cells, not {len(wanted)}: {line}")
            continue
        for each, cell in zip(wanted, line, strict=True):
            text, _, note = each.partition("&")
            right = (said(text, row), said(note, row))
            if each != "_" and not (
                _agrees(cell, right[0]) and (not note or cell.note == right[1])
            ):
                found.append(f"{line[0].text}: {each} is {right}, not {cell}")
    return found


def _agrees(cell: Cell, right: str | Decimal | None) -> bool:
    """An exact amount stands behind the cell; its text is rounded with those beside it."""
    if isinstance(right, str):
        return cell.text == right
    if right is None:
        return cell.text == numbers.UNKNOWN
    return Decimal(cell.exact or "NaN") == right and abs(cents(cell.text) - right) < Decimal("0.01")


def cents(printed: str) -> Decimal:
    """A printed amount; zero where it is less than a cent."""
    digits = printed.replace(numbers.MINUS, "-").replace("$", "").replace(",", "")
    return Decimal(0) if set(printed) & set("<>") else Decimal(digits)


def said(words: str, row: Mapping[str, Any]) -> Any:
    """How a column, or a figure of a text, is printed."""
    if not words.strip():
        return ""
    kind, *names = words.split()
    if kind[0] == "z":  # nothing that it could be of
        kind = kind[1:]
        if row[names[0]] is None:
            return numbers.UNKNOWN
    return _KINDS[kind](*(row[name] for name in names))


def _of_two(write: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    def written(part: Any, whole: Any) -> str:
        known = part is not None and whole
        return write(part, whole) if known else numbers.UNKNOWN

    return written


def _range(write: Callable[[Any], str], low: Any, high: Any, few: int) -> str:
    """The cost of failed runs, of which a few are unlisted."""
    if low is None:
        return numbers.UNKNOWN
    if not few or (high is not None and write(low) == write(high)):
        return write(low)
    return f"{write(low)} or more" if high is None else f"{write(low)} to {write(high)}"


def _why(before_count: int, now_count: int, before: Decimal, now: Decimal) -> str:
    """What the cost of a mover changed by: its runs, or the cost of each."""
    if not before_count and not now_count:
        return "the platform's own"
    if not before_count:
        return "new"
    if not now_count:
        return "no run any more"
    each = [numbers.usd_per_run(before / before_count), numbers.usd_per_run(now / now_count)]
    counts = f"{numbers.count(before_count)} \u2192 {numbers.count(now_count)} runs"
    return f"{counts}, {each[0]} \u2192 {each[1]} each"


def _about(amount: float) -> str:
    """An estimate: whole dollars from ten on."""
    return f"${round(amount):,}" if amount >= 10 else numbers.usd(Decimal(amount))


def _moment(instant: datetime | None) -> str:
    return numbers.UNKNOWN if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


_KINDS: dict[str, Callable[..., Any]] = {
    "_": lambda: "",
    "text": lambda text: text or "",
    "day": date.isoformat,
    "month": lambda month: f"{month:%Y-%m}",
    "period": lambda first, last: str(Period(first, last)),
    "minute": lambda instant: f"{instant:%Y-%m-%d %H:%M}",
    "moment": _moment,
    "usd": numbers.usd,
    "exact": lambda amount: amount,
    "share": lambda part, whole: numbers.percent(part, whole) if part > 0 else "",
    "headline": numbers.usd_headline,
    "per_run": numbers.usd_per_run,
    "per_run_of": _of_two(lambda amount, number: numbers.usd_per_run(amount / number)),
    "signed": lambda now, before: f"{'+' if now > before else ''}{numbers.usd(now - before)}",
    "moment?": lambda instant: "" if instant is None else _moment(instant),
    "fine": numbers.usd_fine,
    "range": lambda low, high, few: _range(numbers.usd, low, high, few),
    "range_of": lambda low, whole, high, few: _range(
        lambda amount: numbers.percent(amount, whole), low if whole else None, high, few
    ),
    "usd?": lambda amount: "" if amount is None else numbers.usd(amount),
    "estimate": lambda exact, about: numbers.usd(exact) if about is None else _about(about),
    "change": numbers.usd_change,
    "why": lambda *values: "" if values[0] is None else _why(*values),
    "count": lambda number: numbers.UNKNOWN if number is None else numbers.count(number),
    "count?": lambda number: "" if number is None else numbers.count(number),
    "runs": lambda number: numbers.plural(number, "run") if number else "",
    "tokens": numbers.tokens,
    "tokens?": lambda number: "" if number is None else numbers.tokens(number),
    "part": lambda line, number: numbers.tokens(number) if line == 1 else "",
    "seconds": numbers.duration,
    "percent": _of_two(numbers.percent),
    "rate": _of_two(numbers.failure_rate),
    "rate-": lambda failed, finished: (
        numbers.failure_rate(failed, finished) if finished else numbers.UNKNOWN
    ),
    "interval": _of_two(numbers.interval),
    "each": _of_two(lambda amount, number: numbers.usd_fine(amount / number)),
}
