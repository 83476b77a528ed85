-- Every date of a workspace, from its first figure to the day of its last batch.
-- Grain: workspace, date.
-- key: workspace_id, date
-- column date: Calendar day in the reporting time zone.
-- column month: First day of the calendar month.
with

provisional as (
    select distinct workspace_id, date
    from marts.fct_runs
    where not is_final
)

select
    workspace_id,
    date,
    date_trunc('month', date)::date as month,
    isodow(date) as weekday,
    dates.is_complete,
    not dates.is_complete or provisional.date is not null as is_provisional
from intermediate.int_dates as dates
left join provisional using (workspace_id, date)
order by workspace_id, date
