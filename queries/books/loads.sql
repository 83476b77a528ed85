-- Loads that the month rests on, and the SHA-256 of each landing file: those that read its days,
-- and those that gave its runs as they are.
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
    $month::date as month,
    workspace_id,
    load_id,
    file_name,
    sha256
from audit.loads
semi join wanted using (workspace_id, load_id)
left join audit.landing_files using (workspace_id, load_id)
order by all
