-- Sessions (conversations), of listed runs alone. Grain: session.
-- key: workspace_id, session_id
-- narrow: session_id
-- column agent_id: The agent of the session's first run.
-- column listed_run_count: Listed runs of the session.
-- column first_run_at: When the session's first listed run was created (UTC).
-- column last_run_at: When the session's last listed run was created (UTC).
-- column listed_succeeded_count: Listed runs of the session that succeeded.
-- column listed_failed_count: Listed runs of the session that failed.
-- column listed_cancelled_count: Listed runs of the session that were cancelled.
-- column listed_open_count: Listed runs of the session that have not ended.
-- column listed_unknown_cost_count: Listed runs of the session whose cost is unknown.
-- column listed_cost_usd: Cost of the session's listed runs in US dollars; unknown ones are in no
-- sum.
-- column listed_tokens_in: Input tokens of the session's listed runs; unknown ones are in no sum.
-- column listed_tokens_out: Output tokens of the session's listed runs; unknown ones are in no sum.
with

sessions as (
    select
        workspace_id,
        session_id,
        arg_min(agent_id, (created_at, run_id)) as agent_id,
        min(created_at) as first_run_at,
        max(created_at) as last_run_at,
        count(*) as listed_run_count,
        count(*) filter (status = 'succeeded') as listed_succeeded_count,
        count(*) filter (status = 'failed') as listed_failed_count,
        count(*) filter (status = 'cancelled') as listed_cancelled_count,
        count(*) filter (not is_terminal) as listed_open_count,
        count(*) filter (cost_usd is null) as listed_unknown_cost_count,
        sum(cost_usd) as listed_cost_usd,
        sum(tokens_in)::bigint as listed_tokens_in,
        sum(tokens_out)::bigint as listed_tokens_out
    from marts.fct_runs
    where session_id is not null
    group by workspace_id, session_id
)

select
    workspace_id,
    agents.workspace_name,
    session_id,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    sessions.* exclude (workspace_id, session_id, agent_id)
from sessions
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by first_run_at, workspace_id, session_id
