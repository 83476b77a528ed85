"""SQL of the measures of runs, and of what is compared or foreseen with them.

Days are `$today` and those that are told by it; `every` is a view of `published.py`.
"""

from __future__ import annotations

COST = "if(count(listed) = 0, 0, sum(usd))"
MEASURES = f"""
    {COST} as cost,
    if(coalesce(sum(missing), 0) = 0, 0, sum(hidden_usd)) as gap,
    coalesce(sum(listed), 0)::bigint as runs, coalesce(sum(missing), 0)::bigint as missing,
    count(*) filter (status = 'succeeded') as succeeded,
    count(*) filter (status = 'failed') as failed,
    count(*) filter (status in ('succeeded', 'failed')) as finished,
    count(*) filter (status = 'cancelled') as cancelled,
    count(*) filter (not is_terminal) as open,
    if(coalesce(sum(listed), 0) = 0, 0, sum(listed_usd)) as listed,
    if(count(*) filter (status = 'failed') = 0, 0,
        sum(listed_usd) filter (status = 'failed')) as failed_usd,
    if(coalesce(sum(listed), 0) = 0, 0, sum(tokens_in))::bigint as tokens_in,
    if(coalesce(sum(listed), 0) = 0, 0, sum(tokens_out))::bigint as tokens_out"""
_WEEKS = (
    "day between $today - 7 and $today - 1",
    "day between $today - 14 and $today - 8",
)


def _weeks(usd: str, count: str | None) -> str:
    """A sum of two weeks, and the runs that it is of."""
    sums = [
        f"coalesce(sum({usd}) filter ({week}), 0) as {name}"
        for name, week in zip(("now", "before"), _WEEKS, strict=True)
    ]
    counts = [
        f"coalesce(sum({count}) filter ({week}), 0)::bigint as {name}_count"
        if count
        else f"null as {name}_count"
        for name, week in zip(("now", "before"), _WEEKS, strict=True)
    ]
    return ", ".join(sums + counts)


MOVERS = f"""
    with agents as (
        select name, {_weeks("usd", "listed + missing")} from every
        join names on names.workspace_id = every.workspace_id
            and names.agent_id is not distinct from every.agent_id
        group by every.workspace_id, every.agent_id, name
    ), versions as (
        select name || ', ' || coalesce('v' || agent_version, 'no version') as name,
            {_weeks("cost_usd", "1")}
        from runs join names on names.workspace_id = runs.workspace_id
            and names.agent_id is not distinct from runs.agent_id
        group by runs.workspace_id, runs.agent_id, name, agent_version
    ), models as (
        select format('{{}} ({{}})', model, provider) as name, {_weeks("c.cost_usd", None)}
        from runs join published.marts.fct_run_model_costs as c using (workspace_id, run_id)
        group by workspace_id, model, provider
    ), movers as (
        select 1 as kind, 'Agent' as what, * from agents
        union all select 2, 'Version', * from versions
        union all select 3, 'Model', * from models
    )
    select * from movers where now != before
    qualify row_number() over (partition by kind order by abs(now - before) desc, lower(name)) <= 10
    order by kind, abs(now - before) desc, lower(name)"""

_PERIODS = {
    "yesterday": "between $today - 1 and $today - 1",
    "month": "between date_trunc('month', $today::date) and $today",
    "before": "between date_trunc('month', $today - interval 1 month)"
    " and last_day($today - interval 1 month)",
}


def _complete(usd: str, source: str, day: str, missing: str = "0", unknown: str = "false") -> str:
    columns = [
        f"coalesce(sum({usd}) filter ({day} {within}), 0) as {name}, "
        f"concat_ws(', ', "
        f"runs_in_words(sum({missing}) filter ({day} {within}), ''), "
        f"runs_in_words(count(*) filter ({day} {within} and {unknown}), ' of unknown cost')"
        f") as {name}_note"
        for name, within in _PERIODS.items()
    ]
    return f"select {', '.join(columns)} from {source}"


_PLATFORM = """(
    from published.marts.fct_platform_agent_days where coalesce(
        list_contains(getvariable('workspaces')::varchar[], workspace_id), true))"""
COMPLETE = " union all ".join((
    _complete("cost_usd", "runs", "day", unknown="cost_usd is null"),
    _complete("missing_cost_usd", "hidden", "day", "missing_run_count"),
    _complete("cost_usd", _PLATFORM, "date"),
))  # fmt: skip

# The 80 % range in which a month ends: each day to come costs what its weekday cost on average.
MONTH_END = f"""
    with known as (
        select days.day, {COST} as usd,
            days.day >= (select min(first_day) from first_days) and days.day < $today
                and count(*) filter (missing > 0 and hidden_usd is null) = 0 as is_whole
        from (
            select unnest(generate_series($today - interval 62 day, $today::timestamp,
                interval 1 day))::date as day
        ) as days left join every using (day)
        group by days.day
    ), basis as (
        select usd::double as usd, if(count(*) over () >= 28, isodow(day), 0) as part
        from known where is_whole and day >= $today - 56
    ), means as (
        select part, avg(usd) as mean, count(*) as days, count(*) * var_pop(usd) as squares
        from basis group by part
    ), rest as (
        select if((select count(*) from basis) >= 28, isodow(day), 0) as part, count(*) as days
        from (
            select unnest(generate_series($today::timestamp, last_day($today)::timestamp,
                interval 1 day))::date as day
        ) group by part
    ), spread as (
        select sum(rest.days * mean) as expected, sqrt(
            (select sum(squares) / greatest(1, sum(days) - count(*)) from means)
            * sum(rest.days + rest.days ** 2 / means.days)
        ) * 1.2815515655446004 as half
        from rest join means using (part)
    ), so_far as (
        select coalesce(sum(usd), 0) as usd from every
        where day >= date_trunc('month', $today) and day < $today
    )
    select so_far.usd as so_far, expected as rest, so_far.usd::double + expected as middle,
        greatest(so_far.usd::double, so_far.usd::double + expected - half) as low,
        so_far.usd::double + expected + half as high
    from spread, so_far"""
