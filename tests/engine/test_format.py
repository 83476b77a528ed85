from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analytics.format import numbers, text

CASES = json.loads(Path(__file__).with_name("format.cases.json").read_text("utf-8"))
RANGE = ("failed_cost_usd", "failed_cost_more_usd", "failed_cost_open_count", "whole")


def _value(unit: str, value: Any) -> Any:
    if not isinstance(value, str) or unit in {"", "text", "name"}:
        return value
    if unit == "instant":
        return datetime.fromisoformat(value)
    if unit.startswith(("day", "month")):
        return date.fromisoformat(value)
    return Decimal(value).scaleb(-10)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_figures_are_written_as_the_cases_say(case: dict[str, Any]) -> None:
    """Python writes each case of the file that the script is held to as well."""
    unit, values = case["unit"], [_value(case["unit"], each) for each in case["values"]]
    names = RANGE if unit.startswith("range") else ("a", "b")
    name = names[0]
    if unit in {"percent", "rate", "interval", "each", "per_million", "change"}:
        name = "a/b"

    row = dict(zip(names, values, strict=False))
    assert case["text"] == text.figure(name, unit, row)
    assert case["plain"] == text.plain(name, unit, row)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("9.5", "$9.50"), ("1234.56", "$1,235"), ("999999.6", "$1.00\u00a0M")],
)
def test_an_estimate_is_in_whole_dollars(amount: str, shown: str) -> None:
    """From ten dollars on an estimate has no cents; from a million on it keeps its unit."""
    assert shown == numbers.usd_about(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("308641.8792", "$308,641.88"), ("0.1", "$0.10"), ("0.0423", "$0.042"), ("0.00425", "$0.0042"),
     ("1e-10", "$0.0000000001"), ("0", "$0.00"), ("0.0996", "$0.100"), ("-0.0423", "\u2212$0.042"),
     (None, "\u2013")],
)  # fmt: skip
def test_a_cost_of_a_run_has_two_digits_that_tell(amount: str | None, shown: str) -> None:
    """Below ten cents they are the first two, however small it is, rounded half to even."""
    assert shown == numbers.usd_per_run(None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("since", "shown"),
    [("3.355", "$600.82, +$3.36 since"), ("-2", "$600.82, \u2212$2.00 since"),
     ("0", "$600.82"), (None, "$600.82")],
)  # fmt: skip
def test_a_closed_amount_has_what_changed_since_beside_it(since: str | None, shown: str) -> None:
    """It is the one that is sorted by; where nothing changed, it stands alone."""
    row: dict[str, Decimal | None] = {
        "a": Decimal("600.822"), "b": None if since is None else Decimal(since),
    }  # fmt: skip

    assert text.figure("a/b", "usd_since", row) == shown
    assert text.plain("a/b", "usd_since", row) == "600.8220000000"
    assert text.figure("a/b", "usd_since", row | {"a": None}) == numbers.UNKNOWN


@pytest.mark.parametrize(
    ("now", "usual", "shown"),
    [
        ("8", "10", "20% below"), ("31", "10", "210% above"), ("10.04", "10", "about as on"),
        ("10", "10", "as on"), ("1.2", "0.7", "$0.50 above"), ("0", "10", "100% below"),
    ],
)  # fmt: skip
def test_a_day_stands_beside_its_usual_weekday(now: str, usual: str, shown: str) -> None:
    """The difference is in percent, of less than a dollar in dollars, and under 1 % is none."""
    row = {"now": Decimal(now), "usual": Decimal(usual), "day": date(2026, 11, 30)}

    assert text.fill("{now/usual|beside} usual {day|weekday}s", row) == f"{shown} usual Mondays"


def test_a_moment_of_late_has_no_year() -> None:
    """It is in UTC, to the minute."""
    row = {"at": datetime.fromisoformat("2026-12-01T09:20:59+01:00"), "day": date(2026, 12, 1)}

    assert text.fill("{at|moment}, {day|month_name}", row) == "1 Dec 08:20 UTC, December"


def test_a_template_names_figures_of_rows_within_its_row() -> None:
    """A dot leads into a row within the row; what stands around figures stays."""
    row = {"cost_usd": Decimal(4), "first": {"name": "a", "cost_usd": Decimal(1)}}
    template = "{first.name} makes {first.cost_usd/cost_usd|percent} of {cost_usd|usd}."

    assert text.fill(template, row) == "a makes 25.0% of $4.00."
    assert text.known(template, row) == "a makes 25.0% of $4.00."


def test_no_line_of_a_text_ends_between_a_sign_and_its_amount() -> None:
    """A word joiner holds the sign of an amount, as a browser may break a line behind it."""
    row = {"a": Decimal(-1), "b": Decimal(1), "c": Decimal("-0.0000000001")}
    text_of_all = text.fill("{a|usd_signed} ({b|usd_signed}, {c|usd_signed})", row)

    assert text_of_all == "\u2212\u2060$1.00 (+\u2060$1.00, under a cent)"


def test_a_text_with_an_unknown_figure_is_not_known() -> None:
    """An unknown figure is a dash in a filled text, and leaves a known text out."""
    row = {"change_usd": None}

    assert text.fill("{change_usd|usd_signed} vs usual", row) == "\u2013 vs usual"
    assert text.known("{change_usd|usd_signed} vs usual", row) is None
    assert text.known("No figure.", row) == "No figure."
