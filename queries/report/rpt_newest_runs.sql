-- The 5 newest listed runs of each line. Grain: run.
-- key: workspace_id, run_id
select *
from reports.rpt_runs
qualify
    row_number() over (
        partition by workspace_id, agent_id order by created_at desc, run_id
    ) <= 5
order by workspace_id, agent_id, created_at desc, run_id
