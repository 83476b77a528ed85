-- The trigger of each run, where the API gives it away; nothing is guessed. Grain: run.
-- key: workspace_id, run_id
with

scheduled as (
    select distinct workspace_id, run_id
    from staging.stg_schedule_runs
),

sessions as (
    select workspace_id, session_id, arg_min(run_id, (created_at, run_id)) as first_run_id
    from staging.stg_runs
    where session_id is not null
    group by workspace_id, session_id
)

select
    runs.workspace_id,
    runs.run_id,
    case
        when scheduled.run_id is not null then 'schedule'
        when runs.parent_run_id is not null then 'parent'
        when sessions.first_run_id <> runs.run_id then 'session'
        else 'unknown'
    end as trigger_type
from staging.stg_runs as runs
left join scheduled using (workspace_id, run_id)
left join sessions using (workspace_id, session_id)
