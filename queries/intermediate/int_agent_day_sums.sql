-- What we hold of an agent's UTC day beside what the API reports of it by its counts, its roll-ups
-- and its hourly meter. The line '(platform)' is the metered usage that names no agent: the
-- platform's own, which no list shows, and that of runs without an agent. Where the API refuses the
-- meter or the roll-up, or gives one without a cost, they are not compared.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

agents as (
    select * replace (if(agent_id = '(none)', '(platform)', agent_id) as agent_id)
    from intermediate.int_agent_utc_days
    semi join intermediate.int_metered_days using (workspace_id, utc_date)
),

platform as (
    select
        workspace_id,
        '(platform)' as agent_id,
        utc_date,
        sum(cost_usd) as platform_cost_usd,
        sum(tokens_in)::bigint as platform_tokens_in,
        sum(tokens_out)::bigint as platform_tokens_out,
        bool_or(cost_usd is null) as lacks_platform,
        bool_or(tokens_in is null or tokens_out is null) as lacks_platform_tokens,
        count(*) as platform_row_count
    from staging.platform_rollups
    where is_current
    group by workspace_id, utc_date
),

figures as (
    select
        workspace_id,
        agent_id,
        utc_date,
        columns('^api_(.*_count|cost_usd)$'),
        coalesce(api_tokens_in, platform_tokens_in) as api_tokens_in,
        coalesce(api_tokens_out, platform_tokens_out) as api_tokens_out,
        coalesce(columns('^(listed|unknown|provisional|metered)_'), 0),
        coalesce(columns('^((run|open|platform|unlisted)_cost_usd|unlisted_run_count)$'), 0),
        coalesce(unlisted_tokens_in, platform_tokens_in) as unlisted_tokens_in,
        coalesce(unlisted_tokens_out, platform_tokens_out) as unlisted_tokens_out,
        coalesce(lacks_rollup, false) or coalesce(lacks_platform, false) as lacks_rollup,
        coalesce(lacks_hours, false) as lacks_hours,
        coalesce(lacks_metered_tokens, false)
        or coalesce(lacks_platform_tokens, false)
        or coalesce(unknown_token_count, 0) > 0 as lacks_tokens,
        last_finished_at,
        (coalesce(row_count, 0) + coalesce(platform_row_count, 0)) * 0.00000000005
            as tolerance_usd
    from agents
    full join platform using (workspace_id, agent_id, utc_date)
),

-- Usage without an agent has no roll-up but the platform's: its runs are the listed ones. What a
-- list shows is younger than the sums, so a run must have ended before the batch began.
compared as (
    select
        figures.*,
        lacks_rollup or lacks_hours as lacks_sums,
        if(has_rollups and not lacks_rollup, 0, null) as no_roll_up,
        has_hours and not lacks_hours as knows_hours,
        knows_hours
        and not lacks_rollup
        and if(agent_id = '(platform)', has_platform, has_rollups) as is_compared,
        is_compared and not lacks_tokens as compares_tokens,
        has_ended,
        is_compared and days.is_metered as is_metered,
        has_ended
        and listed_open_count = 0
        and coalesce(last_finished_at < last_batch_at, true) as is_comparable,
        if(
            agent_id = '(platform)',
            platform_cost_usd + run_cost_usd + open_cost_usd,
            coalesce(api_cost_usd, 0)
        ) as rolled_up_cost_usd,
        if(agent_id = '(platform)', listed_tokens_in, 0) + coalesce(api_tokens_in, 0)
            as rolled_up_tokens_in,
        if(agent_id = '(platform)', listed_tokens_out, 0) + coalesce(api_tokens_out, 0)
            as rolled_up_tokens_out
    from figures
    join intermediate.int_metered_days as days using (workspace_id, utc_date)
    left join ledger.workspaces using (workspace_id)
)

select
    * exclude (
        knows_hours, lacks_rollup, lacks_hours, lacks_tokens, no_roll_up, last_finished_at,
        listed_duration_ms, metered_row_count
    ) replace (
        coalesce(api_rollup_run_count, no_roll_up) as api_rollup_run_count,
        coalesce(api_cost_usd, no_roll_up) as api_cost_usd,
        coalesce(api_tokens_in, no_roll_up) as api_tokens_in,
        coalesce(api_tokens_out, no_roll_up) as api_tokens_out,
        rolled_up_cost_usd::decimal(38, 10) as rolled_up_cost_usd,
        if(knows_hours, metered_cost_usd, null) as metered_cost_usd
    )
from compared
