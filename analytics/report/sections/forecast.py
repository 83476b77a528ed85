"""Where the month will end: a range, with how well such ranges held before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import sqrt
from statistics import fmean
from typing import TYPE_CHECKING

from analytics.report.figures.facts import known_sum
from analytics.report.figures.periods import Period, day_in_words, month_in_words
from analytics.report.writing import numbers
from analytics.report.writing.blocks import Chart, Kpi, Spec, missing
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.figures.facts import Subject

FEWEST_DAYS = 14
LONGEST_BASIS = 56
_DAYS_FOR_WEEKDAYS = 28
_QUANTILE = 1.2815515655446004  # of 0.9: a two-sided interval of 80 %
_DAY = timedelta(days=1)
METHOD = (
    "Each remaining day counts as the mean of its weekday in the 56 complete days before (of all "
    "days, with fewer than 28); the range is an 80% prediction interval from how days differed "
    "from those means."
)


@dataclass(frozen=True)
class Forecast:
    """The cost of a month: that of its complete days, and the range of its end."""

    month: Period
    known_until: date
    known_usd: Decimal
    expected_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal


class Costs(dict["date", "Decimal | None"]):
    """What each complete day cost; None where it was not read whole, or no cost is known."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self._subject = subject

    def __missing__(self, day: date) -> Decimal | None:
        whole = self._subject.whole(day)
        self[day] = cost = None if whole is None else whole.cost_usd
        return cost


def month_end(subject: Subject, costs: Costs, today: date) -> Forecast | None:
    """As of the morning of a day; None with fewer than 14 complete days before it."""
    month = Period.month_of(today)
    basis = [
        (day, float(cost))
        for offset in range(1, LONGEST_BASIS + 1)
        if (cost := costs[day := today - offset * _DAY]) is not None
    ]
    if len(basis) < FEWEST_DAYS:
        return None
    past = [today - offset * _DAY for offset in range(1, today.day)]
    known = known_sum(subject.days[day].cost_usd for day in past if day in subject.days)
    rest, spread = _rest(basis, Period(today, month.last))
    whole = (known or Decimal(0)) + rest
    return Forecast(
        month,
        today - _DAY,
        known or Decimal(0),
        whole,
        max(known or Decimal(0), whole - spread),
        whole + spread,
    )


def held(subject: Subject, costs: Costs) -> tuple[int, int]:
    """Of how many months the end fell into the range made on the same day of them."""
    today = subject.coverage.today
    hits = months = 0
    month = subject.coverage.calendar.last_month
    for _ in range(12):
        was_today = min(month.first + (today.day - 1) * _DAY, month.last)
        own = [costs[day] for day in month.days()]
        if None not in own and (was := month_end(subject, costs, was_today)) is not None:
            months += 1
            hits += was.low_usd <= (known_sum(own) or 0) <= was.high_usd
        month = Period.month_of(month.first - _DAY)
    return hits, months


def kpi(subject: Subject) -> Kpi:
    """The range as a headline figure."""
    label = f"Month end, {month_in_words(subject.coverage.today)}"
    costs = Costs(subject)
    made = month_end(subject, costs, subject.coverage.today)
    if made is None:
        return Kpi(label, numbers.UNKNOWN, notes=(_refusal(costs, subject.coverage.today),))
    return Kpi(
        label,
        _range(made),
        notes=(f"80% range; expected {_about(made.expected_usd)}", _in_words(held(subject, costs))),
    )


def chart(subject: Subject, timezone: str) -> Chart:
    """The cost of the month as it adds up, that of the month before, and the range of its end."""
    key, today = "forecast", subject.coverage.today
    costs = Costs(subject)
    made = month_end(subject, costs, today)
    if made is None:
        return missing(key, "Where the month will end", _refusal(costs, today))
    before, record = subject.coverage.calendar.last_month, _in_words(held(subject, costs))
    this = [*Period(made.month.first, made.known_until).days()] if today.day > 1 else []
    spec: Spec = {
        "kind": "month",
        "days": max(made.month.day_count, before.day_count),
        "before": _cumulated(subject, list(before.days())),
        "now": _cumulated(subject, this),
        "range": {
            "from": made.known_until.day if this else 0,
            "to": made.month.day_count,
            "start": float(made.known_usd),
            "low": float(made.low_usd),
            "middle": float(made.expected_usd),
            "high": float(made.high_usd),
            "text": f"{_about(made.expected_usd)}, range {_range(made)}",
        },
    }
    month = month_in_words(today)
    return Chart(
        key,
        f"{month} will end at {_range(made)}",
        f"Cost, added up by day of the month, US dollars, {timezone}; grey: "
        f"{month_in_words(before.first)}; band: forecast. {METHOD} {record}.",
        spec,
        _table(subject, made),
    )


def _table(subject: Subject, made: Forecast) -> Table:
    until = (
        f"Cost to {day_in_words(made.known_until)}"
        if made.known_until in made.month
        else "Cost so far"
    )
    before = subject.coverage.calendar.last_month
    lines = [
        (until, numbers.usd(made.known_usd)),
        ("Expected rest of the month", _about(made.expected_usd - made.known_usd)),
        ("Expected at the month's end", _about(made.expected_usd)),
        ("Low end of the range", _about(made.low_usd)),
        ("High end of the range", _about(made.high_usd)),
        (
            f"Whole {month_in_words(before.first)}",
            numbers.usd(subject.month(before).cost_usd),
        ),
    ]
    return Table(
        "forecast-table",
        f"Forecast of {month_in_words(made.month.first)}, US dollars",
        [Column("Amount", "text"), Column("US dollars")],
        [list(line) for line in lines],
    )


def _rest(basis: Sequence[tuple[date, float]], rest: Period) -> tuple[Decimal, Decimal]:
    """What the remaining days will cost, and half the width of the range."""
    by_weekday = len(basis) >= _DAYS_FOR_WEEKDAYS
    groups: defaultdict[int, list[float]] = defaultdict(list)
    for day, cost in basis:
        groups[day.weekday() if by_weekday else 0].append(cost)
    means = {group: fmean(costs) for group, costs in groups.items()}
    errors = sum((cost - means[group]) ** 2 for group, costs in groups.items() for cost in costs)
    variance = errors / max(1, len(basis) - len(groups))
    ahead: defaultdict[int, int] = defaultdict(int)
    for day in rest.days():
        ahead[day.weekday() if by_weekday else 0] += 1
    expected = sum(count * means.get(group, 0.0) for group, count in ahead.items())
    spread = variance * sum(
        count + count**2 / max(1, len(groups[group])) for group, count in ahead.items()
    )
    return Decimal(expected), Decimal(_QUANTILE * sqrt(spread))


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


def _refusal(costs: Costs, today: date) -> str:
    days = (today - offset * _DAY for offset in range(1, LONGEST_BASIS + 1))
    count = sum(costs[day] is not None for day in days)
    return f"A forecast needs {FEWEST_DAYS} complete days; there are {count}"


def _in_words(record: tuple[int, int]) -> str:
    hits, months = record
    if not months:
        return "No earlier month to test it on"
    return f"It held in {hits} of {numbers.plural(months, 'earlier month')}"


def _range(made: Forecast) -> str:
    low, high = _about(made.low_usd), _about(made.high_usd)
    return low if low == high else f"{low}\u2013{high}"


def _about(amount: Decimal) -> str:
    """An estimate: whole dollars from ten on."""
    if amount < 10:
        return numbers.usd(amount)
    return numbers.usd_headline(amount.quantize(Decimal(1))).removesuffix(".00")
