-- The 5 newest listed runs of each line. Grain: run.
-- key: workspace_id, run_id
with

-- A sort of all wide rows would take ten times as long.
fifth_newest as (
    select workspace_id, agent_id, list_min(max(created_at, 5)) as created_at
    from reports.rpt_runs
    group by all
)

select runs.*
from reports.rpt_runs as runs
join fifth_newest
    on fifth_newest.workspace_id = runs.workspace_id
    and fifth_newest.agent_id = runs.agent_id
    and fifth_newest.created_at <= runs.created_at
qualify
    row_number() over (
        partition by runs.workspace_id, runs.agent_id order by runs.created_at desc, run_id
    ) <= 5
order by workspace_id, agent_id, created_at desc, run_id
