-- Lines of finance/outcomes.csv with their workspace and agent; null is one that nothing has.
-- Grain: line.
-- key: line
-- column unknown: What the line names that nothing has, or several have.
select
    outcomes.*,
    workspaces.workspace_id,
    coalesce(agents.agent_id, runs.agent_id, sessions.agent_id) as agent_id,
    case
        when workspaces.workspace_id is null then 'workspace'
        when coalesce(agents.agent_id, runs.run_id, sessions.session_id) is not null then null
        when outcomes.agent is not null then 'agent'
        when outcomes.run is not null then 'run'
        else 'session'
    end as unknown
from finance.outcomes
left join intermediate.int_workspace_names as workspaces
    on workspaces.written = outcomes.workspace
    and not workspaces.is_glob
    and not workspaces.is_ambiguous
left join intermediate.int_agent_names as agents
    on agents.workspace_id = workspaces.workspace_id
    and agents.written = outcomes.agent
    and not agents.is_glob
    and not agents.is_ambiguous
    and outcomes.date >= agents.first_date
    and outcomes.date < agents.next_date
left join marts.fct_runs as runs
    on runs.workspace_id = workspaces.workspace_id and runs.run_id = outcomes.run
left join marts.fct_sessions as sessions
    on sessions.workspace_id = workspaces.workspace_id and sessions.session_id = outcomes.session
