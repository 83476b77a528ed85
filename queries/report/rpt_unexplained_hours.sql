-- Hours of metered usage without an agent, on UTC days on which some of it is unexplained.
-- Grain: workspace and hour.
-- key: workspace_id, hour
select
    usage.workspace_id,
    usage.hour,
    sum(usage.request_count)::bigint as request_count,
    sum(usage.cost_usd) as cost_usd
from marts.fct_usage_hours as usage
semi join (
    from reports.rpt_unexplained_agents where agent_id = '(platform)'
) as unexplained
    on usage.workspace_id = unexplained.workspace_id
    and (usage.hour at time zone 'UTC')::date = unexplained.utc_date
where usage.agent_id = '(platform)'
group by usage.workspace_id, usage.hour
order by usage.workspace_id, usage.hour desc
