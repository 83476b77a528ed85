-- All runs of an agent by date, listed and unlisted, with a line for runs without an agent and one
-- for the platform's own activity, so that the lines of a workspace add up to fct_workspace_days.
-- Runs stand under the date of their creation in the reporting time zone; unlisted runs and the
-- platform are known by UTC day only and stand under the same calendar date: outside UTC, days with
-- unlisted runs are no days of one time zone.
-- Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
-- narrow: date
-- narrow int_measures: starts_on
-- ref agent_id: dim_agents
select
    measures.workspace_id,
    agents.workspace_name,
    measures.agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    measures.owner,
    measures.cost_center,
    measures.starts_on as date,
    measures.* exclude (
        workspace_id, scope, agent_id, owner, cost_center, period, starts_on, month,
        platform_cost_usd
    ),
    coalesce(dates.is_complete, false) as is_complete
from intermediate.int_measures as measures
left join marts.dim_dates as dates
    on dates.workspace_id = measures.workspace_id and dates.date = measures.starts_on
left join marts.dim_agents as agents
    on agents.workspace_id = measures.workspace_id and agents.agent_id = measures.agent_id
where measures.scope = 'agent' and measures.period = 'day'
order by measures.workspace_id, measures.agent_id, measures.starts_on
