-- Listed runs that came differently when they were read again: what each version said, and which
-- load replaced it. A run that never changed is in fct_runs alone.
-- Grain: run and version.
-- key: workspace_id, run_id, version_number
-- narrow: run_id
-- column load_id: The load that first read the run so.
with

changed_runs as (
    select distinct workspace_id, run_id
    from staging.runs
    where not is_current
)

select
    workspace_id,
    run_id,
    row_number() over (
        partition by workspace_id, run_id order by version_id
    ) as version_number,
    agent_id,
    status,
    cost_usd,
    tokens_in,
    tokens_out,
    created_at,
    finished_at,
    load_id,
    request_number,
    file_line,
    seen_at,
    superseded_by_load_id,
    is_current
from staging.runs
semi join changed_runs using (workspace_id, run_id)
order by created_at, workspace_id, run_id, version_number
