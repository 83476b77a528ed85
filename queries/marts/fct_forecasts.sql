-- The cost at which the current month of each workspace (that of its last batch) will end, for the
-- workspace as a whole, agent_id '(all)', and for each of its lines: an estimate, with an 80 % and
-- a 95 % range. Each date left counts as the mean of its weekday, in which a week counts half as
-- much as one three weeks later; the ranges come from the errors that the same forecast made in
-- the 112 dates before. Null with fewer than 12 known dates since the line's first cost. Tested as
-- of the 1st, 8th, 15th and 22nd of the 12 months before. Grain: workspace, line or '(all)', and
-- month.
-- key: workspace_id, agent_id, month
-- column agent_id: Identifier of the line, as in dim_agents; '(all)' for the workspace as a whole,
-- the platform's own activity included.
-- column agent_name: Current name of the line, as in dim_agents; null for the workspace as a whole.
-- column month: First day of the calendar month, in the reporting time zone.
-- column expected_usd: Expected cost of the month in US dollars; like its ranges, no less than what
-- is known of it, today included.
-- column unknown_cost_count: Runs of the month to date whose cost is unknown.
-- column unknown_platform_count: Dates of the month up to the last complete one of which what the
-- platform itself cost is unknown, so that no figure has it.
with

forecasts as (
    select name as agent_id, * exclude (scope, name)
    from intermediate.int_forecasts
    where scope = 'line'
),

-- A month without a day has cost nothing; of one with days none of which is known, it is unknown.
sums as (
    select
        workspace_id,
        agent_id,
        sum(unknown_cost_count) as unknown_cost_count,
        sum(unknown_platform_count) filter (date < start) as unknown_platform_count,
        sum(cost_usd) as spent_usd,
        if(
            count(*) filter (date < start) > 0,
            sum(cost_usd) filter (date < start),
            0
        ) as before_today_usd
    from (
        select *, date_trunc('month', date)::date as month
        from (
            select * replace (unnest([agent_id, '(all)']) as agent_id)
            from marts.fct_agent_days
        )
    )
    join forecasts using (workspace_id, agent_id, month)
    group by all
),

complete as (
    select workspace_id, agent_id, count(*) as complete_count
    from forecasts
    join marts.dim_dates as dates using (workspace_id)
    where is_complete and date >= forecasts.month and date < start
    group by all
),

expected as (
    select
        forecasts.*,
        if(sums.agent_id is null, 0, spent_usd) as cost_to_date_usd,
        if(sums.agent_id is null, 0, before_today_usd) as before_usd,
        coalesce(cost_to_date_usd, 0) as known_usd,
        -- What began today has no history: that nothing was spent before says nothing of what
        -- follows.
        if(
            expected_usd = 0 and before_usd = 0 and known_usd > 0,
            null,
            before_usd + expected_usd
        ) as end_usd,
        coalesce(unknown_cost_count, 0)::bigint as unknown_cost_count,
        coalesce(unknown_platform_count, 0)::bigint as unknown_platform_count
    from forecasts
    left join sums using (workspace_id, agent_id)
)

select
    workspace_id,
    expected.agent_id,
    agent_name,
    month,
    cost_to_date_usd,
    if(end_usd is null, null, greatest(known_usd, end_usd - spread_95_usd)) as low_95_usd,
    if(end_usd is null, null, greatest(known_usd, end_usd - spread_80_usd)) as low_usd,
    if(end_usd is null, null, greatest(known_usd, end_usd)) as expected_usd,
    if(end_usd is null, null, greatest(known_usd, end_usd + spread_80_usd)) as high_usd,
    if(end_usd is null, null, greatest(known_usd, end_usd + spread_95_usd)) as high_95_usd,
    "end" - first as days_left,
    basis_day_count,
    tested_month_count,
    test_count,
    hit_count,
    hit_95_count,
    if(tested_month_count >= 6, hit_count / test_count, null) as hit_rate,
    if(tested_month_count >= 6, hit_95_count / test_count, null) as hit_95_rate,
    mean_error_usd,
    greatest(start - month, 0) - coalesce(complete_count, 0) as incomplete_day_count,
    unknown_cost_count,
    unknown_platform_count
from expected
left join complete using (workspace_id, agent_id)
left join marts.dim_agents using (workspace_id, agent_id)
order by workspace_id, expected.agent_id
