-- Every date of a workspace, from its first figure to the day of its last batch.
-- Grain: workspace, date.
-- key: workspace_id, date
-- column date: Calendar day in the reporting time zone.
-- column month: First day of the calendar month.
-- column has_agent_bill: False if the API refuses the bill by agent of that UTC day.
with

provisional as (
    select distinct workspace_id, date
    from marts.fct_runs
    where not is_final
)

select
    dates.workspace_id,
    dates.date,
    date_trunc('month', dates.date)::date as month,
    isodow(dates.date) as weekday,
    dates.is_complete,
    not dates.is_complete or provisional.date is not null as is_provisional,
    coalesce(days.has_agent_bill, true) as has_agent_bill
from intermediate.int_dates as dates
left join provisional using (workspace_id, date)
left join intermediate.int_metered_days as days
    on days.workspace_id = dates.workspace_id and days.utc_date = dates.date
order by dates.workspace_id, dates.date
