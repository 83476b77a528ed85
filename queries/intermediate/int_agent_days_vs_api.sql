-- What we hold of an agent's UTC day beside what the API reports of it by its counts, its roll-ups
-- and its hourly meter. The timing difference is the part of the meter's difference to the roll-up
-- that runs which crossed midnight can explain; the rest is unexplained. The line '(platform)' is
-- the metered usage that names no agent: the platform's own, and that of runs without an agent.
-- Where the API refuses the meter or the roll-up, or gives one without a cost, both differences
-- are unknown.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: utc_date
with

explained as (
    select
        compared.*,
        days.has_ended,
        days.is_metered,
        days.has_rollups and not compared.lacks_rollup as knows_rollup,
        days.has_hours and not compared.lacks_hours as knows_hours,
        knows_hours
        and not compared.lacks_rollup
        and if(compared.agent_id = '(platform)', days.has_platform, days.has_rollups)
            as is_compared,
        if(
            timing.utc_date is not null, meter_difference_usd, within_bounds_usd
        ) as timing_difference_usd
    from intermediate.int_compared_days as compared
    join intermediate.int_metered_days as days using (workspace_id, utc_date)
    left join intermediate.int_platform_timing as timing
        on timing.workspace_id = compared.workspace_id
        and timing.utc_date = compared.utc_date
        and timing.measure = 'cost_usd'
        and compared.agent_id = '(platform)'
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
    if(knows_rollup, coalesce(api_rollup_run_count, 0), api_rollup_run_count)
        as api_rollup_run_count,
    unlisted_run_count,
    run_cost_usd,
    open_cost_usd,
    platform_cost_usd,
    unlisted_cost_usd,
    if(knows_rollup, coalesce(api_cost_usd, 0), api_cost_usd) as api_cost_usd,
    rolled_up_cost_usd::decimal(38, 10) as rolled_up_cost_usd,
    if(knows_hours, explained.metered_cost_usd, null) as metered_cost_usd,
    if(is_compared, explained.timing_difference_usd, null)::decimal(38, 10)
        as timing_difference_usd,
    later_usd,
    earlier_usd,
    if(
        is_compared,
        explained.metered_cost_usd
        - run_cost_usd
        - open_cost_usd
        - platform_cost_usd
        - unlisted_cost_usd
        - explained.timing_difference_usd,
        null
    )::decimal(38, 10) as unexplained_usd,
    listed_tokens_in,
    listed_tokens_out,
    if(knows_rollup, coalesce(api_tokens_in, 0), api_tokens_in) as api_tokens_in,
    if(knows_rollup, coalesce(api_tokens_out, 0), api_tokens_out) as api_tokens_out,
    rolled_up_tokens_in,
    rolled_up_tokens_out,
    metered_tokens_in,
    metered_tokens_out,
    later_tokens_in,
    earlier_tokens_in,
    later_tokens_out,
    earlier_tokens_out,
    leftover_usd,
    leftover_tokens_in,
    leftover_tokens_out,
    tolerance_usd,
    has_ended,
    -- What a list shows is younger than the sums, so a run must have ended before the batch began.
    has_ended
    and listed_open_count = 0
    and late.utc_date is null as is_comparable,
    is_metered and is_compared as is_metered,
    explained.lacks_rollup or explained.lacks_hours as lacks_sums
from explained
left join intermediate.int_late_ends as late using (workspace_id, agent_id, utc_date)
