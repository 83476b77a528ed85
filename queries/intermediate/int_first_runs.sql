-- The first listed run of each session. Grain: session.
-- key: workspace_id, session_id
-- materialized: table
-- narrow: session_id
select
    workspace_id,
    session_id,
    arg_min(run_id, (created_at, run_id)) as first_run_id
from staging.runs
where is_current and session_id is not null
group by workspace_id, session_id
order by min(created_at)
