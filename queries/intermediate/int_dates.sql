-- Every reporting date of a workspace, from its first figure to that of its last batch, and whether
-- it is over, in the reporting time zone and in UTC, and its runs were counted.
-- Grain: workspace and date.
-- key: workspace_id, date
-- materialized: table
with

firsts as (
    select workspace_id, min(date) as first_date
    from (
        select workspace_id, date
        from intermediate.int_day_parts
        where part = 'listed'
        union all
        select workspace_id, first_date
        from intermediate.int_metered_days
    )
    group by workspace_id
),

metered as (
    select workspace_id, any_value(first_date) as first_metered_date
    from intermediate.int_metered_days
    group by workspace_id
),

spans as (
    select
        workspaces.workspace_id,
        workspaces.last_batch_at,
        firsts.first_date,
        metered.first_metered_date,
        greatest(
            (workspaces.last_batch_at at time zone getvariable('reporting_timezone'))::date,
            (workspaces.last_batch_at at time zone 'UTC')::date
        ) as last_date
    from staging.stg_workspaces as workspaces
    join firsts using (workspace_id)
    left join metered using (workspace_id)
),

dates as (
    select
        *,
        unnest(generate_series(first_date, last_date, interval 1 day))::date as date
    from spans
)

-- The first metered UTC day may begin within a reporting date, which then is not whole.
select
    dates.workspace_id,
    dates.date,
    coalesce(
        dates.date >= dates.first_metered_date
        and (days.has_counts or days.has_rollups)
        and dates.date::timestamp at time zone getvariable('reporting_timezone')
        >= dates.first_metered_date::timestamp at time zone 'UTC'
        and greatest(
            (dates.date + 1)::timestamp at time zone getvariable('reporting_timezone'),
            (dates.date + 1)::timestamp at time zone 'UTC'
        ) <= dates.last_batch_at,
        false
    ) as is_complete
from dates
left join intermediate.int_metered_days as days
    on days.workspace_id = dates.workspace_id and days.utc_date = dates.date
