"""SQL of the measures of runs, and of what is compared or foreseen with them.

Days are `$today` and those that are told by it; `every` is a view of `published.py`.
"""

from __future__ import annotations

COST = "if(count(run_count) = 0, 0, sum(cost_usd))"
_FAILED_USD = """if(count(*) filter (failed_count > unlisted_failed_count) = 0, 0,
    sum(failed_cost_usd) filter (failed_count > unlisted_failed_count))"""
# A sum of nothing known is unknown; a day without a line is a zero. Runs leave the platform out.
MEASURES = f"""
    {COST} as cost,
    if(count(*) filter (line_type != 'platform') = 0, 0,
        sum(cost_usd) filter (line_type != 'platform')) as run_cost,
    coalesce(sum(cost_usd) filter (line_type = 'platform'), 0) as platform,
    coalesce(sum(run_count), 0)::bigint as runs,
    coalesce(sum(listed_run_count), 0)::bigint as listed_runs,
    coalesce(sum(succeeded_count), 0)::bigint as succeeded,
    coalesce(sum(failed_count), 0)::bigint as failed,
    coalesce(sum(succeeded_count + failed_count), 0)::bigint as finished,
    coalesce(sum(cancelled_count), 0)::bigint as cancelled,
    coalesce(sum(open_count), 0)::bigint as open,
    {_FAILED_USD} as failed_usd,
    if(count(*) filter (unlisted_failed_count > 0 and failed_cost_high_usd is null) > 0, null,
        {_FAILED_USD} + coalesce(sum(failed_cost_high_usd - coalesce(failed_cost_usd, 0))
            filter (unlisted_failed_count > 0), 0)) as failed_high,
    coalesce(sum(unlisted_failed_count), 0)::bigint as unlisted_failed,
    if(count(run_count) = 0, 0, sum(tokens_in)::bigint) as tokens_in,
    if(count(run_count) = 0, 0, sum(tokens_out)::bigint) as tokens_out"""
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
        select name, {_weeks("usd", "run_count")} from every
        join names on names.workspace_id = every.workspace_id
            and names.agent_id = every.agent_id
        group by every.workspace_id, every.agent_id, name
    ), versions as (
        select name || ', ' || coalesce('v' || agent_version, 'no version') as name,
            {_weeks("cost_usd", "1")}
        from runs join names on names.workspace_id = runs.workspace_id
            and names.agent_id = runs.agent_id
        group by runs.workspace_id, runs.agent_id, name, agent_version
    ), parts as (
        select format('{{}} ({{}})', model, provider) as name, {_weeks("usd", None)}
        from models
        group by workspace_id, model, provider
    ), movers as (
        select 1 as kind, 'Agent' as what, * from agents
        union all select 2, 'Version', * from versions
        union all select 3, 'Model', * from parts
    )
    select * from movers where now != before
    qualify row_number() over (partition by kind order by abs(now - before) desc, lower(name)) <= 10
    order by kind, abs(now - before) desc, lower(name)"""

# The 80 % range in which a month ends: each day to come costs what its weekday cost on average.
MONTH_END = f"""
    with known as (
        select workspace_id, days.day, coalesce({COST}, 0) as usd,
            days.day >= (select min(first_day) from first_days) and days.day < $today as is_whole
        from (
            select unnest(generate_series($today - interval 62 day, $today::timestamp,
                interval 1 day))::date as day
        ) as days cross join (select distinct workspace_id from every)
        left join every using (workspace_id, day)
        group by workspace_id, days.day
    ), basis as (
        select workspace_id, usd::double as usd,
            if(count(*) over (partition by workspace_id) >= 28, isodow(day), 0) as part
        from known where is_whole and day >= $today - 56
    ), means as (
        select workspace_id, part, avg(usd) as mean, count(*) as days,
            count(*) * var_pop(usd) as squares
        from basis group by workspace_id, part
    ), rest as (
        select workspace_id, if(of_basis.days >= 28, isodow(day), 0) as part, count(*) as days
        from (
            select unnest(generate_series($today::timestamp, last_day($today)::timestamp,
                interval 1 day))::date as day
        ), (select workspace_id, count(*) as days from basis group by workspace_id) as of_basis
        group by workspace_id, part
    ), variances as (
        select workspace_id, sum(squares) / greatest(1, sum(days) - count(*)) as variance
        from means group by workspace_id
    ), spread as (
        select workspace_id, sum(rest.days * mean) as expected, sqrt(
            any_value(variance) * sum(rest.days + rest.days ** 2 / means.days)
        ) * 1.2815515655446004 as half
        from rest join means using (workspace_id, part) join variances using (workspace_id)
        group by workspace_id
    ), so_far as (
        select workspace_id, coalesce(sum(usd) filter (
            day >= date_trunc('month', $today) and day < $today
        ), 0) as usd
        from every group by workspace_id
    )
    select sum(so_far.usd) as so_far, sum(expected) as rest,
        sum(so_far.usd::double + expected) as middle,
        sum(greatest(so_far.usd::double, so_far.usd::double + expected - half)) as low,
        sum(so_far.usd::double + expected + half) as high
    from spread join so_far using (workspace_id)"""

# Days of the last week that are far above an agent's median day of the four weeks before each.
UNUSUAL = f"""
    with known as (
        select workspace_id, names.agent_id, name, days.day, {COST} as usd,
            coalesce(sum(run_count), 0)::double as runs
        from names join first_days using (workspace_id)
        join (
            select unnest(generate_series($today - interval 35 day, $today - interval 1 day,
                interval 1 day))::date as day
        ) as days on days.day >= first_day
        left join every on every.workspace_id = names.workspace_id
            and every.agent_id = names.agent_id and every.day = days.day
        where names.agent_id != '(platform)'
        group by workspace_id, names.agent_id, name, days.day
    ), medians as (
        select now.*, median(before.usd) as usual, list(before.usd) as costs,
            median(before.runs) as usual_runs,
            median(before.usd::double / before.runs) filter (before.usd != 0) as usual_each
        from known as now join known as before on now.workspace_id = before.workspace_id
            and now.agent_id = before.agent_id
            and before.day between now.day - 28 and now.day - 1
        where now.day >= $today - 7
        group by all having count(before.usd) >= 14
    )
    select *, usd - usual as above, case
        when usual_runs = 0
            then format('{{:,}} run{{}}, usually none', runs::bigint, if(runs = 1, '', 's'))
        when runs / usual_runs >= usd::double / runs / usual_each
            then format('{{:.1f}} times as many runs', runs / usual_runs)
        else format('runs {{:.1f}} times as expensive', usd::double / runs / usual_each)
    end as driver
    from medians
    where usd - usual > 7.413 * list_median(list_transform(costs, lambda cost: abs(cost - usual)))
        and usd > usual * 1.5 and usd - usual > 1
    order by above desc, lower(name)"""
