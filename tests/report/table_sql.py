"""What each table of figures should say, as SQL on the published file: a question a table.

The days are `$first` to `$last`, those that were chosen or else those that the table is of, and
`$today`. Tables on trust stand in `control_sql.py`.
"""

from __future__ import annotations

from dataclasses import replace

from tests.report import control_sql
from tests.report.cells import Question
from tests.report.measures_sql import COST, MEASURES, MONTH_END, MOVERS, UNUSUAL

WHOLE = f"select {MEASURES} from every where day between $first and $last"
_DAYS = """(
    select unnest(generate_series($first::timestamp, $last::timestamp, interval 1 day))::date as day
) as days"""

_DAY_CELLS = (
    "usd cost | count runs | count failed | count cancelled | count open"
    " | range failed_usd failed_high unlisted_failed | tokens tokens_in | tokens tokens_out | _"
)
_MEMBER_CELLS = (
    "text name | usd cost | percent cost whole | count runs | count failed | rate failed finished"
    " | range failed_usd failed_high unlisted_failed"
)


def _members(name: str) -> Question:
    return Question(
        _MEMBER_CELLS,
        f"""
        select {name} as name, {MEASURES}, sum({COST}) over () as whole
        from every join names using (workspace_id)
        join published.marts.dim_workspaces using (workspace_id)
        where names.agent_id = every.agent_id and day between $first and $last
        group by {name} order by cost desc nulls last, lower({name})""",
        "text name | usd cost | | count runs | count failed | |"
        " range failed_usd failed_high unlisted_failed",
        f"select 'Total' as name, {MEASURES} from every where day between $first and $last",
    )


def _spreads(*measures: str) -> Question:
    """The value below which a share of the runs is: the first that so many do not exceed."""
    columns = [
        f"list_sort(list({measure}) filter (is_terminal))[ceil({share} * "
        f"count({measure}) filter (is_terminal))::int] as {name}_{level}"
        for name, measure in (each.split("=") for each in measures)
        for level, share in (("median", "0.5"), ("p95", "0.95"))
    ]
    names = [each.split(" as ")[1] for each in columns]
    unit = "tokens" if "tokens" in names[0] else "seconds"
    return Question(
        "day week | " + " | ".join(f"{unit} {each}" for each in names),
        f"""
        select date_trunc('week', day)::date as week, {", ".join(columns)} from runs
        where day between date_trunc('week', $first::date) and $last and day < $today
        group by week having bool_or(day >= $first) order by week desc""",
        is_charted=True,
        built=5,
    )


def _last_week(*measures: str) -> Question:
    """The last week that is whole and whose medians are known, then the others."""
    medians = " + ".join(f"{each.split('=')[0]}_median" for each in measures)
    return Question(
        "",
        f"""
        from ({_spreads(*measures).sql}) order by {medians} is null,
            week < $first or week + 6 > least($last, $today - 1), week desc""",
        is_charted=True,
    )


def _comparison(name: str, note: str) -> Question:
    def over(first: str, last: str) -> str:
        return f"coalesce(sum(usd) filter (day between {first} and {last}), 0)"

    month, last_month = "date_trunc('month', $today::date)", "$today - interval 1 month"
    sums = f"""
        {over("$today - 30", "$today - 1")} as cost,
        {over("$today - 60", "$today - 31")} as before,
        {over(month, "$today")} as this_month,
        {over(f"date_trunc('month', {last_month})", f"last_day({last_month})")} as last_month,
        coalesce(sum(failed_count) filter (day between $today - 30 and $today - 1), 0)::bigint
            as failed,
        coalesce(sum(succeeded_count + failed_count)
            filter (day between $today - 30 and $today - 1), 0)::bigint as finished"""
    return Question(
        f"text name{note} | usd cost | change cost before"
        " | usd this_month | usd last_month | rate- failed finished | _",
        f"""
        from (
            select {name} as name, {sums}
            from names join published.marts.dim_workspaces using (workspace_id)
            left join every on names.workspace_id = every.workspace_id
                and names.agent_id = every.agent_id
            where coalesce(
                list_contains(getvariable('workspaces')::varchar[], names.workspace_id), true)
            group by all
        ) order by cost desc, lower(name)""",
        "text name | usd cost | | usd this_month | usd last_month | rate failed finished |",
        f"select 'Total' as name, {sums} from every",
    )


_BILL = ("cost", "surcharge", "own_key", "billed")
_OF_MONTHS = {
    "last": "date_trunc('month', utc_date) = date_trunc('month', $today - interval 1 month)",
    "this": "date_trunc('month', utc_date) = date_trunc('month', $today::date)",
}
_TWO_MONTHS = """coalesce(list_contains(getvariable('workspaces')::varchar[], workspace_id), true)
    and utc_date >= date_trunc('month', $today - interval 1 month)"""
_BILLS, _ACTIVITY = (
    ", ".join(
        f"sum({each}) filter ({within}) as {month}_{each.removesuffix('_usd')}"
        for month, within in _OF_MONTHS.items()
        for each in columns
    )
    for columns in (
        [f"{each}_usd" for each in _BILL],
        ("run_count", "cost_usd", "billed_usd"),
    )
)
_BILL_CELLS = [" | ".join(f"{kind} {month}_{each}" for month in _OF_MONTHS for each in _BILL)
               for kind in ("zexact", "exact")]  # fmt: skip
_ACTIVITY_CELLS = " | ".join(
    f"zcount {month}_run_count | zusd {month}_cost | zusd {month}_billed" for month in _OF_MONTHS
)
_WEEKDAYS = ", ".join(
    f"sum(cost_usd) filter (isodow(local) = {day}) as day{day}" for day in range(1, 8)
)

QUESTIONS = control_sql.QUESTIONS | {
    "billing-by-provider": Question(
        f"text provider | {_BILL_CELLS[0]}",
        f"""
        select provider, {_BILLS} from published.marts.fct_billing_days where {_TWO_MONTHS}
        group by provider order by provider""",
        f"_ | {_BILL_CELLS[1]}",
        f"select {_BILLS} from published.marts.fct_billing_days where {_TWO_MONTHS}",
    ),
    "platform": Question(
        f"text name | {_ACTIVITY_CELLS}",
        f"""
        select coalesce(any_value(platform_agent_name), any_value(platform_agent_slug)) as name,
            {_ACTIVITY}
        from published.marts.fct_platform_agent_days where {_TWO_MONTHS}
        group by platform_agent_id
        order by min(date_trunc('month', utc_date)), platform_agent_id""",
        f"_ | {_ACTIVITY_CELLS}",
        f"select {_ACTIVITY} from published.marts.fct_platform_agent_days where {_TWO_MONTHS}",
    ),
    "movers-table": Question(
        "text name | text what | change now before | usd now | usd before"
        " | why before_count now_count before now",
        MOVERS,
    ),
    "unusual-days": Question(
        "text name | day day | usd usd | usd usual | usd above | text driver", UNUSUAL
    ),
    "forecast-table": Question(
        "_ | estimate exact about",
        f"""
        with month_end as ({MONTH_END})
        select so_far as exact, null as about from month_end
        union all by name select unnest([rest, middle, low, high]) as about from month_end
        union all by name select sum(usd) as exact from every
        where date_trunc('month', day) = date_trunc('month', $today - interval 1 month)""",
    ),
    "daily": Question(
        f"day day | {_DAY_CELLS}",
        f"""
        select days.day, {MEASURES} from {_DAYS} left join every using (day)
        where days.day >= (select min(first_day) from first_days)
        group by days.day order by days.day desc""",
        is_charted=True,
        built=31,
    ),
    "months": Question(
        f"month month | {_DAY_CELLS}",
        f"""
        select date_trunc('month', day)::date as month, {MEASURES} from every
        group by month order by month desc""",
    ),
    "failure-rates": Question(
        "period first last | count failed | count finished | rate failed finished"
        " | interval failed finished",
        f"""
        with past as (
            select days.day, {MEASURES} from {_DAYS} left join every using (day)
            where days.day >= (select min(first_day) from first_days) and days.day < $today
            group by days.day
        )
        select min(day) as first, max(day) as last, sum(failed)::bigint as failed,
            sum(finished)::bigint as finished
        from past
        group by if((select median(finished) from past where finished > 0) >= 100, day,
            date_trunc('week', day)::date)
        having sum(finished) > 0 order by first desc""",
        is_charted=True,
        built=6,
    ),
    "members-table": _members("names.name"),
    "overview/members-table": _members("workspace_name"),
    "failing-agents": Question(
        "text name | range failed_usd failed_high unlisted_failed"
        " | range_of failed_usd cost failed_high unlisted_failed | count failed | count finished"
        " | rate failed finished | interval failed finished",
        f"""
        select name, {MEASURES} from every join names using (workspace_id)
        where names.agent_id = every.agent_id and day between $first and $last
        group by name having finished > 0
        order by finished < 20, coalesce(failed_usd, 0) desc, lower(name)""",
        "text name | range failed_usd failed_high unlisted_failed | | count failed"
        " | count finished | |",
        f"select 'Total' as name, {MEASURES} from every where day between $first and $last",
    ),
    "error-classes": Question(
        "text class | usd cost | percent cost whole | count runs",
        """
        select coalesce(error_class, 'unknown') as class, sum(cost_usd) as cost, count(*) as runs,
            sum(sum(cost_usd)) over () as whole
        from runs where status = 'failed' and day between $first and $last
        group by class order by cost desc nulls last, class""",
        "text class | usd cost | | count runs",
        """
        select 'Total' as class, sum(cost_usd) as cost, count(*) as runs
        from runs where status = 'failed' and day between $first and $last""",
    ),
    "version-rates": Question(
        "text version | count failed | count finished | rate failed finished"
        " | interval failed finished | count runs | usd cost | each cost runs",
        """
        select *, lead(version) over newest as before, lead(failed) over newest as failed_before,
            lead(finished) over newest as finished_before
        from (
            select agent_version, coalesce('v' || agent_version, 'no version') as version,
                count(*) as runs, sum(cost_usd) as cost,
                count(*) filter (status = 'failed') as failed,
                count(*) filter (status in ('succeeded', 'failed')) as finished
            from runs where day between $first and $last group by agent_version
        )
        window newest as (order by agent_version desc nulls last)
        order by agent_version desc nulls last""",
        "text version | count failed | count finished | | | count runs | usd cost |",
        """
        select 'Total' as version, count(*) filter (status = 'failed') as failed,
            count(*) filter (status in ('succeeded', 'failed')) as finished, count(*) as runs,
            sum(cost_usd) as cost
        from runs where day between $first and $last""",
        is_charted=True,
    ),
    "model-split": Question(
        "text model | text provider | usd cost | percent cost whole | tokens tokens_in"
        " | tokens tokens_out",
        """
        with parts as (
            select model, provider, sum(usd) as cost, sum(tokens_in)::bigint as tokens_in,
                sum(tokens_out)::bigint as tokens_out
            from models where day between $first and $last group by all
        )
        select *, sum(cost) over () as whole, if(count(*) over (partition by model) > 1,
            model || ' (' || provider || ')', model) as named
        from parts order by cost desc nulls last, lower(model)""",
        "text model | | usd cost | | tokens tokens_in | tokens tokens_out",
        """
        select 'Total' as model, sum(usd) as cost, sum(tokens_in)::bigint as tokens_in,
            sum(tokens_out)::bigint as tokens_out
        from models where day between $first and $last""",
    ),
    "agents-over-time-table": Question(
        "text name | usd cost | percent cost whole",
        f"""
        with most_expensive as (
            from ({_members("names.name").sql}) order by cost desc nulls last, lower(name) limit 5
        )
        select 1 as line, name, cost, whole from most_expensive
        union all
        select 2, 'Others', any_value(whole) - sum(cost), any_value(whole) from most_expensive
        having any_value(whole) != sum(cost)
        order by line, cost desc nulls last, lower(name)""",
        "text name | usd cost |",
        f"select 'Total' as name, {MEASURES} from every where day between $first and $last",
        is_charted=True,
    ),
    "cost-by-hour": Question(
        "text hour" + " | usd? day1 | usd? day2 | usd? day3 | usd? day4 | usd? day5 | usd? day6"
        " | usd? day7",
        f"""
        select format('{{:02d}}:00', hours.hour) as hour,
            {_WEEKDAYS}
        from range(24) as hours(hour)
        left join (from runs where day between $first and $last) on hour(local) = hours.hour
        group by hours.hour order by hours.hour""",
    ),
    "tokens-per-run-table": _spreads("tokens_in=tokens_in", "tokens_out=tokens_out"),
    "durations-table": _spreads(
        "duration=round(duration_seconds, 1)", "queue=round(queue_seconds, 1)"
    ),
    "tokens-of-last-week": _last_week("tokens_in=tokens_in", "tokens_out=tokens_out"),
    "durations-of-last-week": _last_week(
        "duration=round(duration_seconds, 1)", "queue=round(queue_seconds, 1)"
    ),
    "tool-time": Question(
        "text tool | text node | seconds seconds | count calls | count errors",
        """
        select tool_name as tool, node, round(sum(duration_ms)) as milliseconds,
            milliseconds / 1000 as seconds, count(*) as calls,
            sum(sum(duration_ms)) over () / 1000 as whole,
            count(*) filter (is_error) as errors
        from published.marts.fct_tool_calls join runs using (workspace_id, run_id)
        where day between $first and $last
        group by tool, node order by seconds desc nulls last, tool""",
        "text tool | | | count calls | count errors",
        """
        select 'Total' as tool, count(*) as calls, count(*) filter (is_error) as errors
        from published.marts.fct_tool_calls join runs using (workspace_id, run_id)
        where day between $first and $last""",
    ),
    "most-expensive-hour": Question(
        "",
        """
        select sum(cost_usd) as cost, sum(sum(cost_usd)) over () as whole
        from runs where day between $first and $last
        group by isodow(local), hour(local) order by cost desc nulls last""",
    ),
    "billed-of-last-month": Question(
        "",
        f"select {_BILLS} from published.marts.fct_billing_days where {_TWO_MONTHS}",
    ),
    "most-expensive-runs": Question(
        control_sql.RUN_CELLS,
        f"""
        {control_sql.RUN_COLUMNS} from runs
        where cost_usd is not null and day > $today - 92
        order by cost_usd desc, run_id limit 10""",
    ),
    "runs": Question(
        control_sql.RUN_CELLS,
        f"{control_sql.RUN_COLUMNS} from runs order by created_at desc, run_id limit 1000",
        built=5,
    ),
    "workspaces": _comparison("workspace_name", ""),
    "all-agents": _comparison("names.name", ""),
}

QUESTIONS["models-over-time-table"] = replace(
    QUESTIONS["model-split"],
    cells="text model | text provider | usd cost | percent cost whole",
    total="text model | | usd cost |",
    is_charted=True,
)
