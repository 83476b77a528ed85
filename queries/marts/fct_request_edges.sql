-- What was requested on another day than its run was created, and what it may come to. Hours count
-- by request and agents by creation, so since the first metered day the two may differ by no more
-- than runs cost that ended or changed after the day (and hidden runs of the days before, whose end
-- nobody knows), and by no more than what was already under way on the first day.
-- Grain: UTC day.
-- key: workspace_id, date
-- column date: Calendar day in UTC.
with

runs as (
    select
        workspace_id,
        (created_at at time zone 'UTC')::date as created_on,
        (greatest(finished_at, seen_at) at time zone 'UTC')::date as last_changed_on,
        cost_usd
    from intermediate.int_runs
    where agent_id is not null and cost_usd is not null
),

changes as (
    select workspace_id, created_on as date, sum(cost_usd) as under_way_usd
    from runs
    where last_changed_on > created_on
    group by workspace_id, created_on
    union all
    select workspace_id, last_changed_on, -sum(cost_usd)
    from runs
    where last_changed_on > created_on
    group by workspace_id, last_changed_on
),

figures as (
    from changes
    union all by name
    select
        workspace_id,
        date,
        metered_cost_usd,
        metered_cost_usd - coalesce(summed_cost_usd, 0) as edge_usd,
        tolerance_usd
    from intermediate.int_agent_days_compared
    where agent_id is not null
    union all by name
    select workspace_id, date, missing_cost_usd as gap_cost_usd
    from marts.fct_listing_gaps
),

days as (
    select
        workspace_id,
        date,
        coalesce(sum(under_way_usd), 0) as under_way_usd,
        coalesce(sum(metered_cost_usd), 0) as metered_cost_usd,
        coalesce(sum(edge_usd), 0) as edge_usd,
        coalesce(sum(tolerance_usd), 0) as tolerance_usd,
        coalesce(sum(gap_cost_usd), 0) as gap_cost_usd
    from figures
    group by workspace_id, date
),

sums as (
    select
        *,
        sum(under_way_usd) over so_far
        + sum(gap_cost_usd) over (
            partition by workspace_id
            order by date
            range between interval 34 days preceding and current row
        ) as under_way_so_far_usd,
        sum(tolerance_usd) over so_far as tolerance_so_far_usd
    from days
    window so_far as (partition by workspace_id order by date)
),

metered as (
    select
        sums.*,
        sum(if(sums.date > spans.first_date, sums.edge_usd, 0)) over so_far as edge_so_far_usd,
        first(sums.under_way_so_far_usd + sums.metered_cost_usd) over so_far as most_usd
    from sums
    join intermediate.int_metered_days as spans using (workspace_id, date)
    window so_far as (partition by sums.workspace_id order by sums.date)
)

select
    workspace_id,
    date,
    edge_so_far_usd::decimal(38, 10) as edge_so_far_usd,
    (-under_way_so_far_usd - tolerance_so_far_usd)::decimal(38, 10) as least_usd,
    (most_usd + tolerance_so_far_usd)::decimal(38, 10) as most_usd
from metered
order by workspace_id, date
