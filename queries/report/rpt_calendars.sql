-- The day that each workspace has reached, and the first that was read whole; '(all)' is the site.
-- Grain: workspace or '(all)'.
-- key: workspace_id
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column today: Day of the last batch in the reporting time zone, which is not over yet.
-- column yesterday: Last day that was over then, in the reporting time zone and in UTC.
-- column first_date: First complete date; where none is, the first one; null if nothing was read.
-- column is_current: True if today is less than a week before that of the site.
with

firsts as (
    select
        workspace_id,
        coalesce(min(date) filter (is_complete), min(date)) as first_date
    from marts.dim_dates
    group by workspace_id
)

select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    max(last_batch_at) as as_of,
    max(last_batch_date) as today,
    max(last_complete_date) as yesterday,
    min(first_date) as first_date,
    coalesce(today > max(today) over () - 7, false) as is_current
from marts.dim_workspaces
left join firsts using (workspace_id)
group by grouping sets ((workspace_id), ())
having count(*) > 0
order by workspace_id
