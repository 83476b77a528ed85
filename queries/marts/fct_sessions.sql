-- Sessions (conversations) of listed runs. Grain: session.
-- key: workspace_id, session_id
-- narrow: session_id
-- column agent_id: The agent of the session's first run.
-- column listed_run_count: Listed runs of the session.
-- column first_run_at: When the session's first listed run was created (UTC).
-- column last_run_at: When the session's last listed run was created (UTC).
-- column cost_usd: Cost of the session's listed runs in US dollars; unknown ones are in no sum.
select
    workspace_id,
    any_value(workspace_name) as workspace_name,
    session_id,
    arg_min(agent_id, (created_at, run_id)) as agent_id,
    arg_min_null(agent_slug, (created_at, run_id)) as agent_slug,
    arg_min(agent_name, (created_at, run_id)) as agent_name,
    min(created_at) as first_run_at,
    max(created_at) as last_run_at,
    count(*) as listed_run_count,
    count(*) filter (status = 'succeeded') as succeeded_count,
    count(*) filter (status = 'failed') as failed_count,
    count(*) filter (status = 'cancelled') as cancelled_count,
    count(*) filter (not is_terminal) as open_count,
    count(*) filter (cost_usd is null) as unknown_cost_count,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out
from marts.fct_runs
where session_id is not null
group by workspace_id, session_id
order by first_run_at, workspace_id, session_id
