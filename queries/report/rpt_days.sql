-- All runs by line and date, with measures that may be added up over any rows.
-- Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
-- column run_cost_usd: Cost in US dollars without the platform's own; null on its line.
-- column platform_cost_usd: Cost in US dollars of the platform's own runs; null on other lines.
-- column failed_cost_more_usd: US dollars that failed runs may have cost beyond failed_cost_usd.
-- column failed_cost_open_count: Days with failed runs of a cost that nothing bounds.
select
    workspace_id,
    agent_id,
    date,
    run_count,
    succeeded_count,
    failed_count,
    succeeded_count + failed_count as finished_count,
    cancelled_count,
    open_count,
    listed_run_count,
    unlisted_run_count,
    unknown_cost_count,
    no_usage_count,
    cost_usd,
    if(line_type <> 'platform', cost_usd, null) as run_cost_usd,
    if(line_type = 'platform', cost_usd, null) as platform_cost_usd,
    tokens_in,
    tokens_out,
    failed_cost_usd,
    coalesce(failed_cost_high_usd - failed_cost_usd, 0) as failed_cost_more_usd,
    (
        failed_count > 0 and (failed_cost_high_usd is null or failed_cost_usd is null)
    )::bigint as failed_cost_open_count
from marts.fct_agent_days
order by workspace_id, date, agent_id
