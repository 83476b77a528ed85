-- Days with unlisted runs. Grain: line and date.
select
    workspace_id,
    agent_id,
    date,
    run_count,
    listed_run_count,
    unlisted_run_count,
    unlisted_failed_count,
    unlisted_cost_usd
from marts.fct_agent_days
where unlisted_run_count > 0
order by workspace_id, date desc, unlisted_run_count desc, agent_id
