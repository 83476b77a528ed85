-- Agents that are listed, or known from runs, the API's sums or the books; a deleted one keeps its
-- last name.
-- Every workspace has two more lines, '(none)' for runs without an agent and '(platform)' for the
-- platform's own activity, so that a join to this table loses no figure. Grain: agent.
-- key: workspace_id, agent_id
-- column owner: Owner on the day of the last batch, of finance/owners.csv; null without one.
-- column cost_center: Cost center on that day; null without one.
-- column first_counted_date: First UTC day whose runs the API was asked to count; else null.
-- column agent_slug: Current short name of the agent, as in its address; null without one.
-- column is_listed: True if the API's list of agents has the agent; false if only runs or sums do.
with

no_agent as (
    select
        workspace_id,
        min(seen_at) as first_seen_at,
        max(created_at) filter (is_current) as last_run_at
    from staging.runs
    where agent_id is null
    group by workspace_id
),

lines as (
    select * exclude (began_at)
    from intermediate.int_agents
    union all by name
    select
        workspace_id,
        '(none)' as agent_id,
        'No agent' as agent_name,
        'no_agent' as line_type,
        false as is_listed,
        no_agent.first_seen_at,
        no_agent.last_run_at
    from marts.dim_workspaces
    left join no_agent using (workspace_id)
    union all by name
    select
        workspace_id,
        '(platform)' as agent_id,
        'Platform' as agent_name,
        'platform' as line_type,
        false as is_listed
    from marts.dim_workspaces
),

owners as (
    select
        spans.workspace_id,
        spans.agent_id,
        nullif(spans.owner, '(none)') as owner,
        nullif(spans.cost_center, '(none)') as cost_center,
        spans.account
    from intermediate.int_owner_spans as spans
    join ledger.workspaces as workspaces
        on workspaces.workspace_id = spans.workspace_id
        and coalesce(
            (workspaces.last_batch_at at time zone getvariable('reporting_timezone'))::date,
            date '9999-12-31'
        ) between spans.first_date and spans.last_date
)

select
    lines.workspace_id,
    workspaces.workspace_name,
    lines.* exclude (workspace_id),
    owners.owner,
    owners.cost_center,
    owners.account
from lines
left join marts.dim_workspaces as workspaces using (workspace_id)
left join owners using (workspace_id, agent_id)
order by lines.workspace_id, agent_id
