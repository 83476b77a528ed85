-- What was requested on another day than its run was created, and what it may come to. Hours count
-- by request and agents by creation, so since the first metered day the two may differ by no more
-- than runs cost that ended or changed after the day (and hidden runs of the days before, whose end
-- nobody knows), and by no more than what was already under way on the first day, and what was
-- given back after the day: what runs had cost more before, and hours of less than nothing.
-- Grain: UTC day.
-- key: workspace_id, date
-- column date: Calendar day in UTC.
with

extremes as (
    select workspace_id, run_id, min(cost_usd) as lowest_usd, max(cost_usd) as highest_usd
    from audit.run_versions
    group by workspace_id, run_id
),

-- So far, a run's requests have cost no less than its lowest cost and no more than its highest.
runs as (
    select
        workspace_id,
        (created_at at time zone 'UTC')::date as created_on,
        (greatest(finished_at, seen_at) at time zone 'UTC')::date as last_changed_on,
        cost_usd - least(lowest_usd, cost_usd, 0) as under_way_usd,
        greatest(highest_usd, cost_usd, 0) - cost_usd as given_back_usd
    from intermediate.int_runs
    left join extremes using (workspace_id, run_id)
    where agent_id is not null and cost_usd is not null and last_changed_on > created_on
),

changes as (
    select
        workspace_id,
        created_on as date,
        sum(under_way_usd) as under_way_usd,
        sum(given_back_usd) as given_back_usd
    from runs
    group by workspace_id, created_on
    union all
    select workspace_id, last_changed_on, -sum(under_way_usd), -sum(given_back_usd)
    from runs
    group by workspace_id, last_changed_on
),

refunds as (
    select
        workspace_id,
        (hour at time zone 'UTC')::date as date,
        -sum(cost_usd) as refund_usd
    from staging.stg_usage_hours
    where agent_id is not null and cost_usd < 0
    group by all
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
    union all by name
    from refunds
),

days as (
    select
        workspace_id,
        date,
        coalesce(sum(under_way_usd), 0) as under_way_usd,
        coalesce(sum(given_back_usd), 0) as given_back_usd,
        coalesce(sum(refund_usd), 0) as refund_usd,
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
        sum(given_back_usd) over so_far
        + coalesce(
            sum(refund_usd) over (
                partition by workspace_id
                order by date
                rows between 1 following and unbounded following
            ),
            0
        ) as given_back_later_usd,
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
    (most_usd + given_back_later_usd + tolerance_so_far_usd)::decimal(38, 10) as most_usd
from metered
order by workspace_id, date
