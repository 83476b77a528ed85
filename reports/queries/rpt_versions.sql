-- Listed runs by version of their agent, of all days, whatever the period of a page. Those outside
-- outages are what the findings of versions count. Grain: workspace, line and version.
select
    runs.workspace_id,
    agent_id,
    coalesce(agent_version, -1)::bigint as agent_version,
    min(date) as began_date,
    count(*) filter (status = 'succeeded') as listed_succeeded_count,
    count(*) filter (status = 'failed') as listed_failed_count,
    listed_succeeded_count + listed_failed_count as listed_finished_count,
    count(*) filter (status = 'failed' and outages.hour is null) as outside_failed_count,
    count(*) filter (status in ('succeeded', 'failed') and outages.hour is null)
        as outside_finished_count,
    if(count(cost_usd) < count(*), null, sum(cost_usd)) as judged_cost_usd,
    if(
        listed_failed_count > count(cost_usd) filter (status = 'failed'),
        null,
        coalesce(sum(cost_usd) filter (status = 'failed'), 0)
    )::decimal(38, 10) as failed_cost_usd
from marts.fct_runs as runs
left join marts.fct_outage_hours as outages
    on outages.workspace_id = runs.workspace_id
    and outages.hour = time_bucket(interval 1 hour, created_at)
group by runs.workspace_id, agent_id, coalesce(agent_version, -1)
