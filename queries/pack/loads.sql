-- Loads that a month rests on, and the SHA-256 of each landing file: those that read its days, and
-- those that gave its runs as they are.
with

read_days as (
    select workspace_id, load_id
    from audit.requests
    where window_start <= last_day($month::date) and window_end > $month::date
),

gave_runs as (
    select workspace_id, load_id
    from audit.run_versions
    where
        is_current
        and (created_at at time zone 'UTC')::date between $month::date and last_day($month::date)
),

wanted as (
    select *
    from read_days
    union
    select *
    from gave_runs
)

select
    workspace_name,
    load_id,
    step,
    code_version,
    loaded_at,
    published_at,
    request_count,
    record_count,
    quarantined_count,
    file_name,
    byte_count,
    sha256,
    workspace_id
from audit.loads
join marts.dim_workspaces using (workspace_id)
semi join wanted using (workspace_id, load_id)
left join audit.landing_files using (workspace_id, load_id)
where list_contains($workspace_ids, workspace_id)
order by workspace_name, workspace_id, load_id, file_name
