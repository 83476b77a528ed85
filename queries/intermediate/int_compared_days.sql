-- What we hold of an agent's UTC day beside what the API reports of it by its counts, its roll-ups
-- and its hourly meter, and how much of the meter's difference to the roll-up runs which crossed
-- midnight can explain: see int_agent_days_vs_api. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- narrow: utc_date
with

metered as (
    select
        workspace_id,
        agent_id,
        utc_date,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(tokens_in)::bigint as metered_tokens_in,
        sum(tokens_out)::bigint as metered_tokens_out,
        bool_or(metered_cost_usd is null) as lacks_hours,
        bool_or(tokens_in is null or tokens_out is null) as lacks_tokens,
        count(*) as metered_row_count
    from staging.usage_hours
    where is_current
    group by all
),

platform as (
    select
        workspace_id,
        '(platform)' as agent_id,
        utc_date,
        sum(cost_usd) as platform_cost_usd,
        sum(tokens_in)::bigint as api_tokens_in,
        sum(tokens_out)::bigint as api_tokens_out,
        bool_or(cost_usd is null) as lacks_rollup,
        bool_or(tokens_in is null or tokens_out is null) as lacks_tokens,
        count(*) as row_count
    from staging.platform_rollups
    where is_current
    group by workspace_id, utc_date
),

listed as (
    select * replace (if(agent_id = '(none)', '(platform)', agent_id) as agent_id)
    from intermediate.int_listed_days
),

figures as (
    from listed
    union all by name
    from intermediate.int_api_agent_days
    union all by name
    from platform
    union all by name
    from metered
),

agent_days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        coalesce(max(listed_run_count), 0) as listed_run_count,
        coalesce(max(listed_succeeded_count), 0) as listed_succeeded_count,
        coalesce(max(listed_failed_count), 0) as listed_failed_count,
        coalesce(max(listed_cancelled_count), 0) as listed_cancelled_count,
        coalesce(max(listed_open_count), 0) as listed_open_count,
        coalesce(max(provisional_count), 0) as provisional_count,
        coalesce(max(unknown_cost_count), 0) as unknown_cost_count,
        coalesce(max(unknown_token_count), 0) as unknown_token_count,
        max(api_run_count) as api_run_count,
        max(api_succeeded_count) as api_succeeded_count,
        max(api_failed_count) as api_failed_count,
        max(api_cancelled_count) as api_cancelled_count,
        max(api_rollup_run_count) as api_rollup_run_count,
        coalesce(max(run_cost_usd), 0) as run_cost_usd,
        coalesce(max(open_cost_usd), 0) as open_cost_usd,
        coalesce(max(platform_cost_usd), 0) as platform_cost_usd,
        coalesce(max(listed_tokens_in), 0) as listed_tokens_in,
        coalesce(max(listed_tokens_out), 0) as listed_tokens_out,
        max(api_cost_usd) as api_cost_usd,
        max(api_tokens_in) as api_tokens_in,
        max(api_tokens_out) as api_tokens_out,
        coalesce(max(metered_cost_usd), 0) as metered_cost_usd,
        coalesce(max(metered_tokens_in), 0) as metered_tokens_in,
        coalesce(max(metered_tokens_out), 0) as metered_tokens_out,
        coalesce(bool_or(lacks_rollup), false) as lacks_rollup,
        coalesce(bool_or(lacks_hours), false) as lacks_hours,
        coalesce(bool_or(lacks_tokens), false) or coalesce(max(unknown_token_count), 0) > 0
            as lacks_tokens,
        coalesce(max(listed_run_count), 0)
        + coalesce(max(row_count), 0)
        + coalesce(max(metered_row_count), 0) as row_count
    from figures
    group by workspace_id, agent_id, utc_date
),

compared as (
    select
        agent_days.*,
        coalesce(unlisted.unlisted_run_count, 0) as unlisted_run_count,
        if(unlisted.utc_date is null, 0, coalesce(unlisted.unlisted_cost_usd, 0))
            as unlisted_cost_usd,
        -- Usage without an agent has no roll-up but the platform's: its runs are the listed ones.
        if(
            agent_id = '(platform)',
            platform_cost_usd + run_cost_usd + open_cost_usd,
            coalesce(api_cost_usd, 0)
        ) as rolled_up_cost_usd,
        if(agent_id = '(platform)', listed_tokens_in, 0) + coalesce(api_tokens_in, 0)
            as rolled_up_tokens_in,
        if(agent_id = '(platform)', listed_tokens_out, 0) + coalesce(api_tokens_out, 0)
            as rolled_up_tokens_out,
        coalesce(columns(bounds.* exclude (workspace_id, agent_id, utc_date)), 0)
    from agent_days
    left join intermediate.int_unlisted_days as unlisted using (workspace_id, agent_id, utc_date)
    left join intermediate.int_timing_bounds as bounds using (workspace_id, agent_id, utc_date)
),

bounded as (
    select
        *,
        row_count * 0.00000000005 as tolerance_usd,
        metered_cost_usd - rolled_up_cost_usd as meter_difference_usd,
        greatest(least(meter_difference_usd, earlier_usd), -later_usd) as within_bounds_usd,
        if(lacks_tokens, null, metered_tokens_in - rolled_up_tokens_in) as difference_in,
        if(lacks_tokens, null, metered_tokens_out - rolled_up_tokens_out) as difference_out
    from compared
)

select
    *,
    meter_difference_usd - within_bounds_usd as leftover_usd,
    difference_in - greatest(least(difference_in, earlier_tokens_in), -later_tokens_in)
        as leftover_tokens_in,
    difference_out - greatest(least(difference_out, earlier_tokens_out), -later_tokens_out)
        as leftover_tokens_out
from bounded
