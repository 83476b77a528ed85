-- Runs that the API counts beyond the listed ones of an agent's UTC day that has ended, by status,
-- with what the API reports of the day's cost, tokens and duration less what the listed runs have.
-- Where it did not count by status, or fewer than the roll-up has, or more though fewer of a status
-- than are listed, the roll-up has their number, and their status is unknown.
-- A part that would be negative is unknown: the two contradict each other, and a check says so.
-- Where the list shows fewer open runs than the count, those have ended since; a status with fewer
-- runs than are listed takes them from the open ones first, so that the parts add up to the whole.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: utc_date
with

compared as (
    select
        api.workspace_id,
        api.agent_id,
        api.utc_date,
        coalesce(listed.listed_run_count, 0) as listed_count,
        api.api_succeeded_count - coalesce(listed.listed_succeeded_count, 0) as succeeded,
        api.api_failed_count - coalesce(listed.listed_failed_count, 0) as failed,
        api.api_cancelled_count - coalesce(listed.listed_cancelled_count, 0) as cancelled,
        api.api_run_count > api.api_rollup_run_count
        and -least(succeeded, 0) - least(failed, 0) - least(cancelled, 0)
        > greatest(api.api_run_count - listed_count - succeeded - failed - cancelled, 0)
            as is_contradicted,
        if(
            is_contradicted,
            api.api_rollup_run_count,
            greatest(api.api_run_count, api.api_rollup_run_count)
        ) as run_count,
        coalesce(api.api_run_count = run_count, false) as has_statuses,
        run_count - listed_count as unlisted_run_count,
        unlisted_run_count - succeeded - failed - cancelled as open,
        api.api_cost_usd
        - coalesce(listed.run_cost_usd, 0)
        - coalesce(listed.open_cost_usd, 0) as cost_usd,
        api.api_tokens_in - coalesce(listed.listed_tokens_in, 0) as tokens_in,
        api.api_tokens_out - coalesce(listed.listed_tokens_out, 0) as tokens_out,
        api.api_duration_ms - coalesce(listed.listed_duration_ms, 0) as duration_ms,
        (api.row_count + coalesce(listed.listed_run_count, 0)) * 0.00000000005 as tolerance_usd
    from intermediate.int_api_agent_days as api
    join intermediate.int_metered_days as days using (workspace_id, utc_date)
    left join intermediate.int_listed_days as listed using (workspace_id, agent_id, utc_date)
    where days.has_ended and unlisted_run_count > 0
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
    run_count as api_run_count,
    listed_count as listed_run_count,
    unlisted_run_count,
    if(has_statuses, greatest(succeeded, 0) - from_succeeded, null) as unlisted_succeeded_count,
    if(
        has_statuses,
        greatest(failed, 0) - (lacking - from_open - from_succeeded - from_cancelled),
        null
    ) as unlisted_failed_count,
    if(has_statuses, greatest(cancelled, 0) - from_cancelled, null) as unlisted_cancelled_count,
    if(has_statuses, greatest(open, 0) - from_open, null) as unlisted_open_count,
    case
        when cost_usd >= 0 then cost_usd
        when cost_usd >= -tolerance_usd then 0
    end::decimal(38, 10) as unlisted_cost_usd,
    if(tokens_in >= 0, tokens_in, null) as unlisted_tokens_in,
    if(tokens_out >= 0, tokens_out, null) as unlisted_tokens_out,
    if(duration_ms >= 0, duration_ms, null) as unlisted_duration_ms
from balanced
