-- What we hold of an agent's UTC day beside what the API reports of it by its counts, its roll-ups
-- and its hourly meter. The timing difference is the part of the meter's difference to the roll-up
-- that runs which crossed midnight can explain; the rest is unexplained. The line '(platform)' is
-- the metered usage that names no agent: the platform's own, and that of runs without an agent.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

metered as (
    select
        workspace_id,
        coalesce(agent_id, '(platform)') as agent_id,
        (hour at time zone 'UTC')::date as utc_date,
        sum(cost_usd) as metered_cost_usd,
        sum(tokens_in)::bigint as metered_tokens_in,
        sum(tokens_out)::bigint as metered_tokens_out,
        count(*) as metered_row_count
    from staging.stg_usage_hours
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
        count(*) as row_count
    from staging.stg_platform_rollups
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
        max(last_finished_at) as last_finished_at,
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
        coalesce(bounds.later_usd, 0) as later_usd,
        coalesce(bounds.earlier_usd, 0) as earlier_usd,
        coalesce(bounds.later_tokens_in, 0) as later_tokens_in,
        coalesce(bounds.earlier_tokens_in, 0) as earlier_tokens_in,
        coalesce(bounds.later_tokens_out, 0) as later_tokens_out,
        coalesce(bounds.earlier_tokens_out, 0) as earlier_tokens_out
    from agent_days
    left join intermediate.int_unlisted_days as unlisted using (workspace_id, agent_id, utc_date)
    left join intermediate.int_timing_bounds as bounds using (workspace_id, agent_id, utc_date)
),

bounded as (
    select
        *,
        row_count * 0.00000000005 as tolerance_usd,
        metered_cost_usd - rolled_up_cost_usd as meter_difference_usd,
        greatest(least(meter_difference_usd, earlier_usd), -later_usd) as within_bounds_usd
    from compared
),

-- The API lists no run of the platform's own: where it crosses midnight, the differences of the
-- days that it touches add up to nothing.
stretches as (
    select
        *,
        utc_date - (row_number() over (
            partition by workspace_id, agent_id, abs(leftover_usd) > tolerance_usd
            order by utc_date
        ))::integer as stretch
    from (select *, meter_difference_usd - within_bounds_usd as leftover_usd from bounded)
),

explained as (
    select
        *,
        if(
            agent_id = '(platform)'
            and abs(leftover_usd) > tolerance_usd
            and abs(sum(leftover_usd) over same_stretch) <= sum(tolerance_usd) over same_stretch,
            meter_difference_usd,
            within_bounds_usd
        ) as timing_difference_usd
    from stretches
    window same_stretch as (
        partition by workspace_id, agent_id, abs(leftover_usd) > tolerance_usd, stretch
    )
)

select
    explained.workspace_id,
    explained.agent_id,
    explained.utc_date,
    listed_run_count,
    listed_succeeded_count,
    listed_failed_count,
    listed_cancelled_count,
    listed_open_count,
    provisional_count,
    unknown_cost_count,
    unknown_token_count,
    api_run_count,
    api_succeeded_count,
    api_failed_count,
    api_cancelled_count,
    api_rollup_run_count,
    unlisted_run_count,
    run_cost_usd,
    open_cost_usd,
    platform_cost_usd,
    unlisted_cost_usd,
    api_cost_usd,
    rolled_up_cost_usd::decimal(38, 10) as rolled_up_cost_usd,
    metered_cost_usd,
    timing_difference_usd::decimal(38, 10) as timing_difference_usd,
    later_usd,
    earlier_usd,
    (
        metered_cost_usd
        - run_cost_usd
        - open_cost_usd
        - platform_cost_usd
        - unlisted_cost_usd
        - timing_difference_usd
    )::decimal(38, 10) as unexplained_usd,
    listed_tokens_in,
    listed_tokens_out,
    api_tokens_in,
    api_tokens_out,
    rolled_up_tokens_in,
    rolled_up_tokens_out,
    metered_tokens_in,
    metered_tokens_out,
    later_tokens_in,
    earlier_tokens_in,
    later_tokens_out,
    earlier_tokens_out,
    tolerance_usd,
    explained.utc_date < days.last_date as has_ended,
    -- What a list shows is younger than the sums, so a run must have ended before the batch began.
    explained.utc_date < days.last_date
    and listed_open_count = 0
    and coalesce(last_finished_at < workspaces.last_batch_at, true) as is_comparable,
    explained.utc_date < meters.last_date or explained.utc_date <= days.last_date - 8
        as is_metered
from explained
join intermediate.int_metered_days as days using (workspace_id, utc_date)
join staging.stg_workspaces as workspaces using (workspace_id)
left join (
    select workspace_id, max(utc_date) as last_date
    from metered
    group by workspace_id
) as meters using (workspace_id)
