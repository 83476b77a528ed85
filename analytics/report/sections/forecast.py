"""How the month will end: a range, and how well such ranges held before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.format.days import Period, day_in_words, month_in_words
from analytics.report.writing.blocks import Chart, Kpi, Spec, missing
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.figures.facts import Subject
    from analytics.report.marts.rows import ForecastRow

FEWEST_DAYS = 14
FEWEST_TESTS = 6
METHOD = (
    "Each remaining day counts as the mean of its weekday in the 56 complete days before (of all "
    "days, with fewer than 28); the range is an 80% prediction interval from how days differed "
    "from those means."
)


def kpi(subject: Subject) -> Kpi:
    """The range as a headline figure."""
    label = f"Month end, {month_in_words(subject.coverage.today)}"
    made = subject.forecast if subject.days else None
    if made is None or made.expected_usd is None:
        return Kpi(label, numbers.UNKNOWN, notes=(_refusal(made),))
    notes = [f"80% range; expected {_about(made.expected_usd)}", *_record(made)]
    return Kpi(label, _range(made), notes=tuple(notes))


def chart(subject: Subject, timezone: str) -> Chart:
    """The cost of the month as it adds up, that of the month before, and the range of its end."""
    key, today = "forecast", subject.coverage.today
    made = subject.forecast if subject.days else None
    if made is None or made.expected_usd is None or made.low_usd is None or made.high_usd is None:
        return missing(key, "How the month will end", _refusal(made))
    before, whole, until = subject.coverage.calendar.last_month, _month(made), _known_until(made)
    this = [*Period(whole.first, until).days()] if until >= whole.first else []
    known = made.cost_to_date_usd or Decimal(0)
    spec: Spec = {
        "kind": "month",
        "days": max(whole.day_count, before.day_count),
        "before": _cumulated(subject, list(before.days())),
        "now": _cumulated(subject, this),
        "range": {
            "from": until.day if this else 0,
            "to": whole.day_count,
            "start": float(known),
            "low": float(made.low_usd),
            "middle": float(made.expected_usd),
            "high": float(made.high_usd),
            "text": f"{_about(made.expected_usd)}, range {_range(made)}",
        },
    }
    month = month_in_words(today)
    record = "".join(f" {each}." for each in _record(made))
    return Chart(
        key,
        f"{month} will end at {_range(made)}",
        f"Cost, added up by day of the month, US dollars, {timezone}; grey: "
        f"{month_in_words(before.first)}; band: forecast. {METHOD}{record}",
        spec,
        _table(subject, made),
    )


def _table(subject: Subject, made: ForecastRow) -> Table:
    known, until = made.cost_to_date_usd or Decimal(0), _known_until(made)
    label = f"Cost to {day_in_words(until)}" if until in _month(made) else "Cost so far"
    before = subject.coverage.calendar.last_month
    lines = [
        (label, numbers.usd(known)),
        ("Expected rest of the month", _about((made.expected_usd or known) - known)),
        ("Expected at the month's end", _about(made.expected_usd or known)),
        ("Low end of the range", _about(made.low_usd or known)),
        ("High end of the range", _about(made.high_usd or known)),
        (
            f"Whole {month_in_words(before.first)}",
            numbers.usd(subject.month(before).cost_usd),
        ),
    ]
    return Table(
        "forecast-table",
        f"Forecast of {month_in_words(made.month)}, US dollars",
        [Column("Amount", "text"), Column("US dollars")],
        [list(line) for line in lines],
    )


def _cumulated(subject: Subject, days: Sequence[date]) -> list[list[float | str | None]]:
    sums: list[list[float | str | None]] = []
    total = Decimal(0)
    for day in days:
        known = subject.on(day)
        if known is None or known.cost_usd is None:
            sums.append([None, "no data"])
            continue
        total += known.cost_usd
        sums.append([float(total), f"{numbers.usd(total)} to {day_in_words(day)}"])
    return sums


def _refusal(made: ForecastRow | None) -> str:
    if made is None:
        return "No forecast: no run lately, or a workspace was not read this month"
    count = made.basis_day_count
    return f"A forecast needs {FEWEST_DAYS} complete days; there are {count}"


def _record(made: ForecastRow) -> list[str]:
    """In how many earlier months the range held; nothing where these are too few to say."""
    months = made.tested_month_count
    if months < FEWEST_TESTS:
        return []
    return [f"The range held the cost of {made.hit_month_count} of {months} earlier months"]


def _month(made: ForecastRow) -> Period:
    return Period.month_of(made.month)


def _known_until(made: ForecastRow) -> date:
    return _month(made).last - timedelta(days=made.days_left)


def _range(made: ForecastRow) -> str:
    low, high = _about(made.low_usd or Decimal(0)), _about(made.high_usd or Decimal(0))
    return low if low == high else f"{low}\u2013{high}"


def _about(amount: Decimal) -> str:
    """An estimate: whole dollars from ten on."""
    if amount < 10:
        return numbers.usd(amount)
    return numbers.usd_headline(amount.quantize(Decimal(1))).removesuffix(".00")
