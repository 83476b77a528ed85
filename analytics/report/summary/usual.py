"""The usual cost of a weekday: the one baseline that pages and the summary compare a day with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_WEEKS = 4
_FEWEST = 2
_WEEK = timedelta(days=7)


def same_weekdays_before(day: date) -> list[date]:
    """The same weekday of the four weeks before, the latest first."""
    return [day - weeks * _WEEK for weeks in range(1, USUAL_WEEKS + 1)]


def usual_cost_usd(
    costs: Mapping[date, Decimal | None], day: date, first_date: date | None
) -> Decimal | None:
    """The median cost of all runs on the same weekday of the four weeks before `day`.

    `costs` holds the `cost_usd` of each date that has a row; a complete date without one cost
    nothing, and one of unknown cost is left out. None where fewer than two are known: dates before
    `first_date`, the first complete one, are not.
    """
    if first_date is None:
        return None
    days = [each for each in same_weekdays_before(day) if each >= first_date]
    known = [cost for each in days if (cost := costs.get(each, Decimal(0))) is not None]
    return median(known) if len(known) >= _FEWEST else None
