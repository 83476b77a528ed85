-- The API's own figures of an agent's UTC day: run counts by status (`runs/daily`), and cost,
-- tokens and duration of its runs (one-day `analytics/agents`). A status that is no terminal one
-- is open. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: utc_date
with

counts as (
    select
        workspace_id,
        agent_id,
        utc_date,
        coalesce(sum(run_count), 0)::bigint as api_run_count,
        coalesce(sum(run_count) filter (status = 'succeeded'), 0)::bigint as api_succeeded_count,
        coalesce(sum(run_count) filter (status = 'failed'), 0)::bigint as api_failed_count,
        coalesce(sum(run_count) filter (status = 'cancelled'), 0)::bigint as api_cancelled_count
    from staging.run_counts
    where is_current and agent_id is not null
    group by workspace_id, agent_id, utc_date
),

sums as (
    select
        workspace_id,
        agent_id,
        utc_date,
        sum(run_count)::bigint as api_rollup_run_count,
        sum(cost_usd) as api_cost_usd,
        sum(tokens_in)::bigint as api_tokens_in,
        sum(tokens_out)::bigint as api_tokens_out,
        sum(total_duration_ms)::bigint as api_duration_ms,
        bool_or(cost_usd is null) as lacks_rollup,
        count(*) as row_count
    from staging.agent_rollups
    where is_current and agent_id is not null
    group by workspace_id, agent_id, utc_date
),

days as (
    select *
    from counts
    full join sums using (workspace_id, agent_id, utc_date)
),

-- Of a day that was counted, a status without a row is one without a run. What was counted before
-- a day had ended, and not again, is a part of it, unless its roll-up has as many runs; so is what
-- was read of a roll-up before the API refused it.
judged as (
    select
        days.*,
        coalesce(metered_days.has_ended and not metered_days.has_rollups, false)
            as is_part_of_rollup,
        if(counted_days.utc_date is null, null, 0) as no_run,
        no_run is null
        and coalesce(metered_days.has_ended, false)
        and (is_part_of_rollup or api_run_count is distinct from api_rollup_run_count)
            as is_part_of_count
    from days
    left join intermediate.int_counted_days as counted_days
        using (workspace_id, agent_id, utc_date)
    left join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
)

select
    workspace_id,
    agent_id,
    utc_date,
    is_part_of_rollup,
    if(is_part_of_count, null, coalesce(api_run_count, no_run)) as api_run_count,
    if(is_part_of_count, null, coalesce(api_succeeded_count, no_run)) as api_succeeded_count,
    if(is_part_of_count, null, coalesce(api_failed_count, no_run)) as api_failed_count,
    if(is_part_of_count, null, coalesce(api_cancelled_count, no_run)) as api_cancelled_count,
    if(is_part_of_rollup, null, api_rollup_run_count) as api_rollup_run_count,
    if(is_part_of_rollup, null, api_cost_usd) as api_cost_usd,
    if(is_part_of_rollup, null, api_tokens_in) as api_tokens_in,
    if(is_part_of_rollup, null, api_tokens_out) as api_tokens_out,
    if(is_part_of_rollup, null, api_duration_ms) as api_duration_ms,
    coalesce(lacks_rollup, false) as lacks_rollup,
    coalesce(row_count, 0) as row_count
from judged
