-- Usage that may have been metered after the UTC day on which its run was created, and until when:
-- runs whose last model request came on a later day, unlisted runs until their day was first read
-- as a whole, and changes of a day's sums that were seen after that. Usage without an agent stands
-- under '(platform)', as the meter has it. Grain: run, unlisted part of a day, or change of a sum.
-- key: workspace_id, agent_id, utc_date, source_id
-- materialized: table
with

-- A run whose details are not read yet is taken as a whole, up to when it was seen so.
details as (
    select
        workspace_id,
        run_id,
        max((ended_at at time zone 'UTC')::date) as last_date,
        sum(cost_usd) as cost_usd
    from staging.stg_run_costs
    group by workspace_id, run_id
),

changes as (
    select
        workspace_id,
        run_id,
        max(cost_usd) as highest_usd,
        max(seen_at) filter (not is_current) as last_replaced_at,
        count(distinct cost_usd) > 1 as has_changed
    from staging.stg_run_versions
    group by workspace_id, run_id
    having count(*) > 1
),

runs as (
    select
        runs.workspace_id,
        runs.run_id as source_id,
        if(runs.agent_id = '(none)', '(platform)', runs.agent_id) as agent_id,
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
    from intermediate.int_runs as runs
    left join details using (workspace_id, run_id)
    left join changes using (workspace_id, run_id)
    where runs.is_terminal
),

rollup_versions as (
    select
        workspace_id,
        agent_id,
        utc_date,
        version_id::varchar as source_id,
        (seen_at at time zone 'UTC')::date as seen_date,
        cost_usd - lag(cost_usd) over day as cost_change_usd,
        tokens_in - lag(tokens_in) over day as tokens_in_change,
        tokens_out - lag(tokens_out) over day as tokens_out_change,
        lag(seen_at) over day as previous_seen_at
    from staging.stg_agent_rollup_versions
    where agent_id is not null
    window day as (partition by workspace_id, agent_id, utc_date order by version_id)
),

first_reads as (
    select
        workspace_id,
        agent_id,
        utc_date,
        greatest(min(seen_date), utc_date + 1) as first_date
    from rollup_versions
    group by workspace_id, agent_id, utc_date
)

select
    workspace_id,
    agent_id,
    utc_date,
    source_id,
    until_date,
    cost_usd,
    refund_usd,
    tokens_in,
    tokens_out
from runs
where until_date > utc_date
union all
select
    unlisted.workspace_id,
    unlisted.agent_id,
    unlisted.utc_date,
    'unlisted',
    first_reads.first_date,
    coalesce(unlisted.unlisted_cost_usd, 0),
    0,
    coalesce(unlisted.unlisted_tokens_in, 0),
    coalesce(unlisted.unlisted_tokens_out, 0)
from intermediate.int_unlisted_days as unlisted
join first_reads using (workspace_id, agent_id, utc_date)
union all
select
    workspace_id,
    agent_id,
    utc_date,
    source_id,
    seen_date,
    abs(cost_change_usd),
    abs(cost_change_usd),
    abs(tokens_in_change),
    abs(tokens_out_change)
from rollup_versions
where
    (previous_seen_at at time zone 'UTC')::date > utc_date
    and (cost_change_usd <> 0 or tokens_in_change <> 0 or tokens_out_change <> 0)
