-- State of every date from the first with figures to that of the last batch; '(all)' is the site,
-- whose date is in the worst state that it has in any workspace. Grain: workspace and date.
-- key: workspace_id, date
-- column state: complete; incomplete, where not all of the day was read; provisional, for today.
with

workspaces as (
    select
        dates.workspace_id,
        dates.date,
        case
            when dates.is_complete then 'complete'
            when
                dates.date >= (
                    workspaces.last_batch_at at time zone getvariable('reporting_timezone')
                )::date
                then 'provisional'
            else 'incomplete'
        end as state
    from marts.dim_dates as dates
    join marts.dim_workspaces as workspaces using (workspace_id)
)

from workspaces
union all
select
    '(all)' as workspace_id,
    date,
    max_by(state, list_position(['complete', 'provisional', 'incomplete'], state)) as state
from workspaces
group by date
order by workspace_id, date
