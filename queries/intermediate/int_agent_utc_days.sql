-- An agent's UTC day: the runs that lists have shown (`listed_`), what the API reports of all runs
-- (`api_`: counts by status of `runs/daily`; cost, tokens and duration of one-day
-- `analytics/agents`), and of a day that has ended those that it counts beyond the listed ones
-- (`unlisted_`), with what it reports of the day less what the listed runs have; and what the
-- hourly meter has of it (`metered_`). A status that is no terminal one is open. Runs and usage
-- that name no agent are those of '(none)', also where the usage is the platform's.
-- Where it did not count by status, or fewer than the roll-up has, or more though fewer of a status
-- than are listed, the roll-up has their number, and their status is unknown.
-- An unlisted part that would be negative is unknown: the two contradict each other, and a check
-- says so. Where the list shows fewer open runs than the count, those have ended since; a status
-- with fewer runs than are listed takes them from the open ones first, so that the parts add up to
-- the whole.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: utc_date
-- narrow provisional_runs: by run_id
-- narrow requests: by agent_id
with

listed as (
    select
        runs.workspace_id,
        runs.agent_id,
        runs.utc_date,
        count(*) as listed_run_count,
        count(*) filter (runs.status = 'succeeded') as listed_succeeded_count,
        count(*) filter (runs.status = 'failed') as listed_failed_count,
        count(*) filter (runs.status = 'cancelled') as listed_cancelled_count,
        count(provisional.run_id) as provisional_count,
        count(*) filter (not runs.is_terminal) as listed_open_count,
        max(runs.finished_at) as last_finished_at,
        count(*) filter (runs.cost_usd is null) as unknown_cost_count,
        count(*) filter (runs.tokens_in is null or runs.tokens_out is null) as unknown_token_count,
        sum(runs.cost_usd) filter (runs.is_terminal) as run_cost_usd,
        sum(runs.cost_usd) filter (not runs.is_terminal) as open_cost_usd,
        coalesce(sum(runs.tokens_in), 0)::bigint as listed_tokens_in,
        coalesce(sum(runs.tokens_out), 0)::bigint as listed_tokens_out,
        coalesce(sum(runs.duration_ms), 0)::bigint as listed_duration_ms
    from intermediate.int_runs as runs
    left join ledger.provisional_runs as provisional using (workspace_id, run_id)
    group by runs.workspace_id, runs.agent_id, runs.utc_date
),

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

-- Days that were counted after they had ended.
counted_days as (
    select distinct
        workspace_id,
        agent_id,
        unnest(
            generate_series(
                window_start,
                least(window_end, (fetched_at at time zone 'UTC')::date) - 1,
                interval 1 day
            )
        )::date as utc_date
    from ledger.requests
    where source = 'run_counts' and status = 200
),

-- Of a day that was counted, a status without a row is one without a run. What was counted before
-- a day had ended, and not again, is a part of it, unless its roll-up has as many runs; so is what
-- was read of a roll-up before the API refused it.
judged as (
    select
        days.*,
        coalesce(metered_days.has_ended, false) as has_ended,
        has_ended and not metered_days.has_rollups as is_part_of_rollup,
        if(counted_days.utc_date is null, null, 0) as no_run,
        no_run is null
        and has_ended
        and (is_part_of_rollup or api_run_count is distinct from api_rollup_run_count)
            as is_part_of_count
    from (from counts full join sums using (workspace_id, agent_id, utc_date)) as days
    left join counted_days using (workspace_id, agent_id, utc_date)
    left join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
),

reported as (
    select
        workspace_id,
        agent_id,
        utc_date,
        has_ended,
        is_part_of_rollup,
        true as is_reported,
        if(is_part_of_count, null, coalesce(columns('^api_[a-z]+_count$'), no_run)),
        if(is_part_of_rollup, null, columns('^api_(rollup_run_count|cost|tokens|duration)')),
        lacks_rollup,
        row_count
    from judged
),

metered as (
    select
        workspace_id,
        if(agent_id = '(platform)', '(none)', agent_id) as agent_id,
        utc_date,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(tokens_in)::bigint as metered_tokens_in,
        sum(tokens_out)::bigint as metered_tokens_out,
        -sum(least(metered_cost_usd, 0)) as metered_refund_usd,
        bool_or(metered_cost_usd is null) as lacks_hours,
        bool_or(tokens_in is null or tokens_out is null) as lacks_metered_tokens,
        count(*) as metered_row_count
    from staging.usage_hours
    where is_current
    group by all
),

days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        coalesce(columns('^(listed|unknown|provisional)_|^(metered_)?row_count$'), 0),
        coalesce(columns('^(is|has|lacks)_'), false),
        columns('^api_|^last_|^(run|open|metered)_cost_usd$|^metered_(tokens|refund)')
    from listed
    full join reported using (workspace_id, agent_id, utc_date)
    full join metered using (workspace_id, agent_id, utc_date)
),

compared as (
    select
        *,
        api_succeeded_count - listed_succeeded_count as succeeded,
        api_failed_count - listed_failed_count as failed,
        api_cancelled_count - listed_cancelled_count as cancelled,
        coalesce(
            api_run_count > api_rollup_run_count
            and -least(succeeded, 0) - least(failed, 0) - least(cancelled, 0)
            > greatest(api_run_count - listed_run_count - succeeded - failed - cancelled, 0),
            false
        ) as is_contradicted,
        if(
            is_contradicted, api_rollup_run_count, greatest(api_run_count, api_rollup_run_count)
        ) as run_count,
        coalesce(has_ended and run_count > listed_run_count, false) as has_unlisted,
        has_unlisted and coalesce(api_run_count = run_count, false) as has_statuses,
        run_count - listed_run_count - succeeded - failed - cancelled as open,
        api_cost_usd - coalesce(run_cost_usd, 0) - coalesce(open_cost_usd, 0) as cost_usd,
        api_tokens_in - listed_tokens_in as tokens_in,
        api_tokens_out - listed_tokens_out as tokens_out,
        api_duration_ms - listed_duration_ms as duration_ms
    from days
),

-- How many runs the negative parts lack, and how many of them each part gives in turn.
balanced as (
    select
        *,
        -least(open, 0) - least(succeeded, 0) - least(failed, 0) - least(cancelled, 0) as lacking,
        least(greatest(open, 0), lacking) as from_open,
        least(greatest(succeeded, 0), lacking - from_open) as from_succeeded,
        least(greatest(cancelled, 0), lacking - from_open - from_succeeded) as from_cancelled
    from compared
)

select
    workspace_id,
    agent_id,
    utc_date,
    columns('^(listed|unknown|provisional|metered|api|lacks|last)_|^(run|open)_cost_usd$'),
    is_reported,
    is_part_of_rollup,
    listed_run_count + row_count + metered_row_count as row_count,
    if(has_unlisted, run_count - listed_run_count, 0) as unlisted_run_count,
    if(has_statuses, greatest(succeeded, 0) - from_succeeded, null) as unlisted_succeeded_count,
    if(
        has_statuses,
        greatest(failed, 0) - (lacking - from_open - from_succeeded - from_cancelled),
        null
    ) as unlisted_failed_count,
    if(has_statuses, greatest(cancelled, 0) - from_cancelled, null) as unlisted_cancelled_count,
    if(has_statuses, greatest(open, 0) - from_open, null) as unlisted_open_count,
    case
        when not has_unlisted then null
        when cost_usd >= 0 then cost_usd
        when cost_usd >= -(listed_run_count + row_count) * 0.00000000005 then 0
    end::decimal(38, 10) as unlisted_cost_usd,
    if(has_unlisted and tokens_in >= 0, tokens_in, null) as unlisted_tokens_in,
    if(has_unlisted and tokens_out >= 0, tokens_out, null) as unlisted_tokens_out,
    if(has_unlisted and duration_ms >= 0, duration_ms, null) as unlisted_duration_ms
from balanced
