-- Listed runs whose usage may have been metered after the UTC day of their creation, and until
-- when: that of an open one, until it was seen so. One without an agent stands under '(platform)',
-- as the meter has it. Grain: run.
-- key: workspace_id, run_id
-- materialized: table
-- narrow: run_id
with

-- A run whose details are not read yet is taken as a whole, up to when it was seen so.
details as (
    select
        workspace_id,
        run_id,
        max((ended_at at time zone 'UTC')::date) as last_date,
        sum(cost_usd) as cost_usd
    from staging.run_costs
    where is_current
    group by workspace_id, run_id
),

changes as (
    select
        workspace_id,
        run_id,
        max(cost_usd) as highest_usd,
        max(seen_at) filter (not is_current) as last_replaced_at,
        count(distinct cost_usd) > 1 as has_changed
    from staging.runs
    group by workspace_id, run_id
    having count(*) > 1
),

runs as (
    select
        runs.workspace_id,
        runs.run_id,
        runs.agent_id,
        runs.created_at,
        runs.utc_date,
        greatest(
            coalesce(details.last_date, (runs.finished_at at time zone 'UTC')::date),
            if(changes.has_changed, (runs.seen_at at time zone 'UTC')::date, runs.utc_date),
            if(
                details.cost_usd is distinct from runs.cost_usd,
                (greatest(runs.finished_at, runs.seen_at) at time zone 'UTC')::date,
                runs.utc_date
            )
        ) as until_date,
        coalesce(runs.cost_usd, details.cost_usd, 0) as cost_usd,
        greatest(coalesce(changes.highest_usd, runs.cost_usd) - runs.cost_usd, 0) as refund_usd,
        coalesce(runs.tokens_in, 0) as tokens_in,
        coalesce(runs.tokens_out, 0) as tokens_out
    from intermediate.int_metered_runs as runs
    left join details using (workspace_id, run_id)
    left join changes using (workspace_id, run_id)
)

select *
from runs
where until_date > utc_date
order by created_at
