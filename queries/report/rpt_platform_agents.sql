-- What the platform's own agents did in each UTC month; it is in no agent's figures. An amount is
-- null where that of a day is unknown.
-- Grain: workspace, UTC month and platform agent.
-- key: workspace_id, month, platform_agent_id
-- column month: First day of the calendar month in UTC.
-- column name: Latest name of the platform's agent, else its short name, else its identifier.
-- column run_count: Runs of the platform's agent.
select
    workspace_id,
    date_trunc('month', utc_date)::date as month,
    coalesce(platform_agent_id, '(none)') as platform_agent_id,
    coalesce(
        arg_max(platform_agent_name, utc_date),
        arg_max(platform_agent_slug, utc_date),
        platform_agent_id,
        '(none)'
    ) as name,
    coalesce(sum(run_count), 0)::bigint as run_count,
    if(count(cost_usd) = count(*), sum(cost_usd), null) as cost_usd,
    if(count(billed_usd) = count(*), sum(billed_usd), null) as billed_usd
from marts.fct_platform_agent_days
group by workspace_id, month, fct_platform_agent_days.platform_agent_id
order by workspace_id, month, platform_agent_id
