-- Cost of runs that were for nothing, by reason, each run under one: what it was at least, of
-- listed runs of which that is certain, and at most. A run that failed at its own limit of steps,
-- time or money is under run_limit; one that succeeded is idle without an artifact, a tool call and
-- more than 100 tokens out, a retry after a failed run of its session, or under repeated_calls of
-- one tool after three errors of it. Of unlisted runs only statuses are known: their cost of a day
-- on which one failed is in the high end of failed, else, where one was cancelled, in that of
-- cancelled.
-- Grain: workspace, agent, month and reason.
-- key: workspace_id, agent_id, month, reason
-- ref agent_id: dim_agents
-- values reason: run_limit, failed, cancelled, idle, retry, repeated_calls
-- column reason: Why the runs were for nothing: run_limit (their own), failed, cancelled, idle,
-- retry or repeated_calls.
-- column wasted_usd: Cost in US dollars of runs that certainly were for nothing; null where the
-- cost of one is unknown.
-- column wasted_high_usd: The same with all that may have been; null where that is unknown.
-- column listed_run_count: Listed runs under the reason.
with

runs as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', date)::date as month,
        reason,
        count(*) as listed_run_count,
        if(count(cost_usd) < count(*), null, sum(if(is_certain, cost_usd, 0))) as wasted_usd,
        if(count(cost_usd) < count(*), null, sum(cost_usd)) as wasted_high_usd
    from intermediate.int_run_waste
    group by all
),

unlisted as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', utc_date)::date as month,
        if(unlisted_failed_count = 0, 'cancelled', 'failed') as reason,
        0 as listed_run_count,
        0 as wasted_usd,
        if(count(unlisted_cost_usd) < count(*), null, sum(unlisted_cost_usd)) as wasted_high_usd
    from intermediate.int_agent_utc_days
    where
        unlisted_run_count > 0
        and (
            unlisted_failed_count is distinct from 0
            or unlisted_cancelled_count is distinct from 0
        )
    group by all
),

sums as (
    select
        workspace_id,
        agent_id,
        month,
        reason,
        sum(listed_run_count)::bigint as listed_run_count,
        if(count(wasted_usd) < count(*), null, sum(wasted_usd))::decimal(38, 10) as wasted_usd,
        if(count(wasted_high_usd) < count(*), null, sum(wasted_high_usd))::decimal(38, 10)
            as wasted_high_usd
    from (
        from runs
        union all by name
        from unlisted
    )
    group by all
)

select
    workspace_id,
    agents.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    month,
    reason,
    listed_run_count,
    wasted_usd,
    wasted_high_usd
from sums
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, agent_id, month, reason
