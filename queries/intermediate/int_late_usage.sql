-- What of an agent's UTC day may have been metered after it, and until when; a refund is what may
-- have been taken back since. Usage without an agent stands under '(platform)', as in the meter.
-- - A listed run's until its last request; of one whose requests are not read, or not whole, until
--   it ended or was seen, whichever came last.
-- - What was added to a day's sum, or to a run without an agent, after its first reading: until
--   that was seen. Of a run whose last request lies more than 8 days back, the change may be
--   metered on that day, which is read no more: it counts for 28 days.
-- - An unlisted run's until its day was first read as a whole. Of an agent whose runs end within
--   the next day by its timeout and an hour of waiting, all have ended, that is no more than what
--   is metered in these hours, and a tenth for corrections.
-- Grain: agent, UTC day and last day.
-- key: workspace_id, agent_id, utc_date, until_date
-- materialized: table
-- narrow: utc_date
-- narrow run_costs: by run_id
-- narrow usage_hours: utc_date - 1
-- narrow int_metered_days: utc_date - 1
with

details as (
    select
        workspace_id,
        run_id,
        max((ended_at at time zone 'UTC')::date) as last_date,
        sum(cost_usd) as cost_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out
    from staging.run_costs
    where is_current
    group by workspace_id, run_id
),

runs as (
    select
        runs.workspace_id,
        runs.run_id,
        runs.agent_id,
        runs.utc_date,
        (greatest(runs.finished_at, runs.seen_at) at time zone 'UTC')::date as read_date,
        coalesce(details.last_date, read_date) as last_date,
        coalesce(runs.cost_usd, details.cost_usd) as cost_usd,
        runs.tokens_in,
        runs.tokens_out,
        abs(runs.cost_usd - details.cost_usd) as lacking_usd,
        abs(runs.tokens_in - details.tokens_in) as lacking_in,
        abs(runs.tokens_out - details.tokens_out) as lacking_out
    from intermediate.int_metered_runs as runs
    left join details using (workspace_id, run_id)
),

run_changes as (
    select
        workspace_id,
        run_id,
        utc_date,
        (seen_at at time zone 'UTC')::date as seen_date,
        cost_usd - lag(cost_usd) over run as cost_usd,
        tokens_in - lag(tokens_in) over run as tokens_in,
        tokens_out - lag(tokens_out) over run as tokens_out
    from staging.runs
    where (workspace_id, run_id) in (
        select workspace_id, run_id from staging.runs where not is_current
    )
    window run as (partition by workspace_id, run_id, utc_date order by version_id)
),

sums as (
    select
        workspace_id,
        agent_id,
        utc_date,
        (seen_at at time zone 'UTC')::date as seen_date,
        greatest(min(seen_date) over day, utc_date + 1) as first_date,
        lag(seen_date) over versions > utc_date as is_change,
        cost_usd - lag(cost_usd) over versions as cost_usd,
        tokens_in - lag(tokens_in) over versions as tokens_in,
        tokens_out - lag(tokens_out) over versions as tokens_out
    from staging.agent_rollups
    where agent_id is not null
    window
        day as (partition by workspace_id, agent_id, utc_date),
        versions as (partition by workspace_id, agent_id, utc_date order by version_id)
),

limits as (
    select workspace_id, agent_id, max(timeout_minutes) + 60 as minutes
    from staging.agents
    where is_current
    group by workspace_id, agent_id
    having minutes < 24 * 60
),

first_hours as (
    select
        workspace_id,
        agent_id,
        utc_date - 1 as utc_date,
        sum(metered_cost_usd) as hours_usd,
        sum(tokens_in)::bigint as hours_in,
        sum(tokens_out)::bigint as hours_out
    from staging.usage_hours
    join limits using (workspace_id, agent_id)
    where is_current and date_part('hour', hour at time zone 'UTC') * 60 < minutes
    group by all
),

unlisted as (
    select
        days.workspace_id,
        days.agent_id,
        days.utc_date,
        reads.first_date,
        coalesce(unlisted_cost_usd, 0) as cost_usd,
        coalesce(unlisted_tokens_in, 0) as tokens_in,
        coalesce(unlisted_tokens_out, 0) as tokens_out,
        coalesce(unlisted_open_count = 0 and next_days.is_metered, false) and minutes is not null
            as is_limited,
        least(cost_usd, coalesce(hours_usd, 0)) as hours_usd,
        least(tokens_in, coalesce(hours_in, 0)) as hours_in,
        least(tokens_out, coalesce(hours_out, 0)) as hours_out
    from intermediate.int_agent_utc_days as days
    join (select distinct workspace_id, agent_id, utc_date, first_date from sums) as reads
        using (workspace_id, agent_id, utc_date)
    left join limits using (workspace_id, agent_id)
    left join first_hours using (workspace_id, agent_id, utc_date)
    left join intermediate.int_metered_days as next_days
        on next_days.workspace_id = days.workspace_id
        and next_days.utc_date = days.utc_date + 1
    where unlisted_run_count > 0
),

usage as (
    select
        workspace_id, agent_id, utc_date, last_date as until_date, cost_usd, tokens_in, tokens_out
    from runs
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date,
        read_date as until_date,
        lacking_usd as cost_usd,
        lacking_in as tokens_in,
        lacking_out as tokens_out
    from runs
    union all by name
    select
        runs.workspace_id,
        runs.agent_id,
        runs.utc_date,
        changes.seen_date + if(changes.seen_date > runs.last_date + 8, 28, 0) as until_date,
        greatest(changes.cost_usd, 0) as cost_usd,
        greatest(-changes.cost_usd, 0) as refund_usd,
        abs(changes.tokens_in) as tokens_in,
        abs(changes.tokens_out) as tokens_out
    from run_changes as changes
    join runs using (workspace_id, run_id, utc_date)
    where runs.agent_id = '(platform)' or changes.seen_date > runs.last_date + 8
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date,
        seen_date as until_date,
        greatest(cost_usd, 0) as cost_usd,
        greatest(-cost_usd, 0) as refund_usd,
        abs(tokens_in) as tokens_in,
        abs(tokens_out) as tokens_out
    from sums
    where is_change
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date,
        first_date as until_date,
        if(is_limited, cost_usd / 10, cost_usd)::decimal(38, 10) as cost_usd,
        if(is_limited, tokens_in // 10, tokens_in) as tokens_in,
        if(is_limited, tokens_out // 10, tokens_out) as tokens_out
    from unlisted
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date,
        utc_date + 1 as until_date,
        hours_usd as cost_usd,
        hours_in as tokens_in,
        hours_out as tokens_out
    from unlisted
    where is_limited
)

select
    workspace_id,
    agent_id,
    utc_date,
    until_date,
    coalesce(sum(cost_usd), 0) as cost_usd,
    coalesce(sum(refund_usd), 0) as refund_usd,
    coalesce(sum(tokens_in), 0)::bigint as tokens_in,
    coalesce(sum(tokens_out), 0)::bigint as tokens_out
from usage
where until_date > utc_date
group by workspace_id, agent_id, utc_date, until_date
having greatest(sum(cost_usd), sum(refund_usd), sum(tokens_in), sum(tokens_out)) > 0
