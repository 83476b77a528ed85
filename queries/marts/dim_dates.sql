-- Every date of a workspace, from its first figure to the day of its last batch.
-- Grain: workspace, date.
-- key: workspace_id, date
-- not_null: has_agent_bill
-- column date: Calendar day in the reporting time zone.
-- column month: First day of the calendar month.
-- column is_complete: True once the date is over, in the reporting time zone and in UTC, and its
-- runs were counted.
-- column has_agent_bill: False if the API refuses the bill by agent of that UTC day.
with

metered as (
    select workspace_id, any_value(first_date) as first_metered_date
    from intermediate.int_metered_days
    group by workspace_id
),

firsts as (
    select workspace_id, min(date) as first_date
    from (
        select workspace_id, date
        from marts.fct_runs
        union all
        select workspace_id, first_metered_date
        from metered
    )
    group by workspace_id
),

dates as (
    select
        firsts.workspace_id,
        workspaces.last_batch_at,
        metered.first_metered_date,
        unnest(
            generate_series(
                firsts.first_date,
                greatest(
                    (last_batch_at at time zone getvariable('reporting_timezone'))::date,
                    (last_batch_at at time zone 'UTC')::date
                ),
                interval 1 day
            )
        )::date as date
    from firsts
    join ledger.workspaces as workspaces using (workspace_id)
    left join metered using (workspace_id)
),

provisional as (
    select distinct workspace_id, date
    from marts.fct_runs
    where not is_final
)

-- The first metered UTC day may begin within a reporting date, which then is not whole.
select
    dates.workspace_id,
    dates.date,
    date_trunc('month', dates.date)::date as month,
    isodow(dates.date) as weekday,
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
    ) as is_complete,
    not is_complete or provisional.date is not null as is_provisional,
    coalesce(days.has_agent_bill, true) as has_agent_bill
from dates
left join provisional using (workspace_id, date)
left join intermediate.int_metered_days as days
    on days.workspace_id = dates.workspace_id and days.utc_date = dates.date
order by dates.workspace_id, dates.date
