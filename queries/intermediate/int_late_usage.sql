-- Usage that may have been metered after the UTC day on which its run was created, and until when:
-- runs whose last model request came on a later day, unlisted runs until their day was first read
-- as a whole, and changes of a day's sums that were seen after that. Usage without an agent stands
-- under '(platform)', as the meter has it.
-- Grain: agent, UTC day, source (runs, unlisted, or the version of a sum) and last day.
-- key: workspace_id, agent_id, utc_date, source_id, until_date
-- materialized: table
-- narrow: utc_date
with

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
    from staging.agent_rollups
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
    'runs' as source_id,
    until_date,
    sum(cost_usd) as cost_usd,
    sum(refund_usd) as refund_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out
from intermediate.int_late_runs
group by workspace_id, agent_id, utc_date, until_date
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
