-- Listed runs of an agent beside those that the run lists lack (listing gaps), and what both cost.
-- Gaps are known by UTC day only, and stand here under the same calendar day. The platform's own
-- runs are no agent's: fct_workspace_days_complete has them.
-- Grain: workspace, agent, date.
-- key: workspace_id, agent_id, date
-- column complete_cost_usd: Cost and gap cost in US dollars together; null where neither is known.
with

gaps as (
    select
        workspace_id,
        agent_id,
        date,
        missing_run_count,
        missing_cost_usd as gap_cost_usd,
        if(missing_cost_usd is null, 1, 0)::bigint as unknown_gap_count
    from marts.fct_listing_gaps
),

-- A null agent has no gap: the API counts no runs of none.
days as (
    select
        workspace_id,
        agent_id,
        date,
        coalesce(listed.run_count, 0) as run_count,
        coalesce(listed.succeeded_count, 0) as succeeded_count,
        coalesce(listed.failed_count, 0) as failed_count,
        coalesce(listed.cancelled_count, 0) as cancelled_count,
        coalesce(listed.open_count, 0) as open_count,
        coalesce(listed.no_usage_count, 0) as no_usage_count,
        coalesce(listed.unknown_cost_count, 0) as unknown_cost_count,
        listed.failure_rate,
        listed.failure_rate_low,
        listed.failure_rate_high,
        if(listed.run_count is null, 0, listed.cost_usd) as cost_usd,
        if(listed.run_count is null, 0, listed.failed_cost_usd) as failed_cost_usd,
        if(listed.run_count is null, 0, listed.tokens_in) as tokens_in,
        if(listed.run_count is null, 0, listed.tokens_out) as tokens_out,
        coalesce(gaps.missing_run_count, 0) as missing_run_count,
        coalesce(gaps.unknown_gap_count, 0) as unknown_gap_count,
        if(gaps.missing_run_count is null, 0, gaps.gap_cost_usd) as gap_cost_usd,
        list_sum([listed.cost_usd, gaps.gap_cost_usd])::decimal(38, 10) as complete_cost_usd
    from marts.fct_agent_days as listed
    full join gaps using (workspace_id, agent_id, date)
)

select
    days.workspace_id,
    days.agent_id,
    agents.agent_slug,
    if(days.agent_id is null, 'No agent', agents.agent_name) as agent_name,
    days.* exclude (workspace_id, agent_id)
from days
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by days.workspace_id, days.agent_id, days.date
