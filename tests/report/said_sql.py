"""What headline figures, titles and texts of pages should say, as SQL on the published file.

Each is a list of figures (`cells.py`) that must stand in the text; those that end with `?` are
left out where the page says that there is nothing to compare with, and those with `+` where they
are zero. No other amount and no other share may stand there.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from tests.report import cells
from tests.report.measures_sql import COST, MEASURES, MONTH_END
from tests.report.published import Asked

_MONTH = "date_trunc('month', $today)"
_LAST_MONTH = "date_trunc('month', $today - interval 1 month)"
_PERIODS = {
    "yesterday": ("$today - 1", "$today - 1"),
    "month": (_MONTH, "$today"),
    "days_of_month": (_MONTH, "$today - 1"),
    "same_days": (
        _LAST_MONTH,
        f"least(last_day({_LAST_MONTH}), {_LAST_MONTH} + to_days(dayofmonth($today)::int - 2))",
    ),
    "last_month": (_LAST_MONTH, f"last_day({_LAST_MONTH})"),
    "month_before": (f"{_LAST_MONTH} - interval 1 month", f"{_LAST_MONTH} - interval 1 day"),
    "recent": ("$today - 30", "$today - 1"),
    "before": ("$today - 60", "$today - 31"),
    "week": ("$today - 7", "$today - 1"),
    "last_week": ("$today - 14", "$today - 8"),
}
_OF_PERIODS = f"""
    select period, {MEASURES}
    from (values {
    ", ".join(
        f"('{period}', ({first})::date, ({last})::date)"
        for period, (first, last) in _PERIODS.items()
    )
}) as periods(period, first, last)
    left join every on day between first and last
    group by period"""
_USUAL = f"""
    select if(count(*) < 2, null, median(usd)) as usual_cost
    from (
        select days.day, coalesce({COST}, 0) as usd
        from (
            select unnest([$today - 8, $today - 15, $today - 22, $today - 29])::date as day
        ) as days left join every using (day)
        where days.day >= (select min(first_day) from first_days)
        group by days.day
    )"""
_OF_RUNS = """
    select count(*) as priced, list_sort(list(cost_usd))[ceil(0.5 * count(*))::int] as median,
        list_sort(list(cost_usd))[ceil(0.9 * count(*))::int] as ninetieth, max(cost_usd) as largest
    from runs
    where is_terminal and cost_usd is not null and day between $today - 30 and $today - 1"""

_FAILED = "recent_failed_usd {}recent_failed_high recent_unlisted_failed"
KPIS = {
    "Yesterday": "headline yesterday_cost | usd+ yesterday_platform | count yesterday_runs"
    " | change? yesterday_cost usual_cost",
    "Month to date": "headline month_cost | usd+ month_platform"
    " | change? days_of_month_cost same_days_cost",
    "Last full month": "headline last_month_cost | usd+ last_month_platform"
    " | change? last_month_cost month_before_cost",
    "Failure rate": "share recent_failed recent_finished | count recent_failed"
    " | count recent_finished | interval recent_failed recent_finished"
    " | rate?+ before_failed before_finished",
    "Month end": "estimate? none low | estimate? none high | estimate? none middle",
    "Cost per run": "per_run median | per_run ninetieth | per_run largest | count priced",
    "Cost per successful run": "per_run_of recent_run_cost recent_succeeded"
    " | count recent_succeeded | per_run_of?+ before_run_cost before_succeeded",
}

# By the id of a chart: the table whose first line its title is of, if any, and the figures.
TITLES = {
    "cost": ("", "usd recent_cost | change? recent_cost before_cost"),
    "cost-per-run": (
        "",
        "each recent_run_cost recent_runs | each recent_run_cost recent_succeeded",
    ),
    "outcomes": ("", "count recent_runs | count recent_failed"),
    "tokens": ("", "tokens recent_tokens_in | tokens recent_tokens_out"),
    "failure-rate": ("", "rate recent_failed recent_finished"),
    "failed-cost": (
        "",
        f"range {_FAILED.format('')} | range_of {_FAILED.format('recent_run_cost ')}",
    ),
    "forecast": ("", "estimate none low | estimate none high"),
    "movers": ("movers-table", "text name | signed now before | change week_cost last_week_cost"),
    "members": ("members-table", "text name | percent cost whole"),
    "failing": (
        "failing-agents",
        "text name | range failed_usd failed_high unlisted_failed | rate failed finished",
    ),
    "errors": ("error-classes", "text class | percent cost whole"),
    "models": ("model-split", "text named | percent cost whole"),
    "versions": (
        "version-rates",
        "text version | rate failed finished | text+ before | rate+ failed_before finished_before",
    ),
    "steps": ("tool-time", "text tool | percent seconds whole"),
    "hours": ("most-expensive-hour", "percent cost whole"),
    "agents-over-time": ("members-table in charted days", "text name | percent cost whole"),
    "models-over-time": ("model-split in charted days", "text named | percent cost whole"),
    "tokens-per-run": ("tokens-of-last-week", "tokens tokens_in_median | tokens tokens_in_p95"),
    "durations": ("durations-of-last-week", "seconds duration_median | seconds duration_p95"),
    "billing": ("billed-of-last-month", "usd last_billed | usd last_cost"),
}

_DATES = re.compile(
    r"(\d{1,2}( [A-Z][a-z]+( \d{4})?)?\u2013)?\d{1,2} [A-Z][a-z]+( \d{4})?|[A-Z][a-z]+ \d{4}"
)
_CONSTANT = ("95% Wilson", "80% range", "80% prediction", "at least $1 ")
_FIGURE = re.compile(r"[$][\d,.]+|[\d.]+%")


def values(sql: Asked, today: date) -> dict[str, Any]:
    """The measures of a page in every period that it speaks of, by the period's name."""
    found: dict[str, Any] = {"none": None}
    for row in sql.rows(_OF_PERIODS, today=today):
        found |= {f"{row['period']}_{name}": value for name, value in row.items()}
    for question in (MONTH_END, _USUAL, _OF_RUNS):
        found |= sql.row(question, today=today)
    return found


def differences(figures: str, of: dict[str, Any], text: str) -> list[str]:
    """What a text leaves out of the figures, and what other amounts and shares it has."""
    wanted = [
        (each, cells.said(f"{kind.rstrip('?+')} {' '.join(names)}", of))
        for each in figures.split("|")
        for kind, *names in [each.split()]
        if not (
            "?" in kind
            and any(each in text for each in ("No comparison", "Data begin on", "No forecast"))
        )
        and not (kind.endswith("+") and not of[names[-1]])
    ]
    found = [f"{each.strip()} is {figure}: {text}" for each, figure in wanted if figure not in text]
    left = text
    for each in _CONSTANT:
        left = left.replace(each, "")
    for _, figure in sorted(wanted, key=lambda each: -len(each[1])):
        left = left.replace(figure, "")
    more = _FIGURE.findall(_DATES.sub("", left))
    return found + ([f"{more} is of no question: {text}"] if more else [])
