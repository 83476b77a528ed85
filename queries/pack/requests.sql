-- Requests to the API that a month rests on: those for its days, and those that gave its runs as
-- they are.
with

runs as (
    select distinct workspace_id, load_id, request
    from audit.run_versions
    where
        is_current
        and (created_at at time zone 'UTC')::date between $month::date and last_day($month::date)
)

select
    workspace_name,
    load_id,
    request,
    source,
    path,
    params,
    window_start,
    window_end,
    status,
    record_count,
    byte_count,
    fetched_at,
    workspace_id
from audit.requests
join marts.dim_workspaces using (workspace_id)
left join runs using (workspace_id, load_id, request)
where
    list_contains($workspace_ids, workspace_id)
    and (
        runs.request is not null
        or (window_start <= last_day($month::date) and window_end > $month::date)
    )
order by workspace_name, workspace_id, load_id, request
