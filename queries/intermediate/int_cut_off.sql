-- The cut-off: each agent's roll-ups, by the UTC day on which a run was created, against its hourly
-- meter, by the hour of a request. Roll-ups so far less the meter so far are a balance: what runs
-- have under way when a day ends, and what does not change. That lies between
-- - low: the balance less the most that can be under way. Of a listed run this is its cost, until
--   its last request; of unlisted ones, what the meter has of the agent after the day within its
--   timeout and an hour; of all but open ones, what it has since, up to now;
-- - high: the balance, and what the meter takes back in the next 28 days.
-- Where a roll-up is too high, or the meter lacks something, the balance is never again, up to now,
-- what it was: low is above a high of the 28 days before, even where the balance is lowest.
-- Where it is the other way round, high is below a low of these days. After a day without unlisted
-- runs that is each low. A correction raises the roll-up of a run's day, and is metered when it is
-- made; of unlisted runs nothing says when that was, so that low may have been too high: it is that
-- where the balance was lowest. Of their cost, which is corrected more often than tokens and than
-- the platform's, it is the lowest low of all days so far, of 28 at least.
-- What was beyond on one of the 28 days before is not counted again.
-- Grain: agent, UTC day and measure.
-- key: workspace_id, agent_id, utc_date, measure
-- materialized: table
with

-- Of an agent without a known timeout, runs may take weeks.
agents as (
    select
        workspace_id,
        agent_id,
        if(
            agent_id = '(platform)', 120, coalesce(max(timeout_minutes) + 60, 28 * 1440)
        )::integer as minutes,
        minutes // 1440 as days
    from (select distinct workspace_id, agent_id from intermediate.int_agent_day_sums)
    left join staging.agents using (workspace_id, agent_id)
    group by workspace_id, agent_id
),

-- Of cost and both kinds of tokens. What is late comes on its day, and goes on its last one. All
-- that came before the first metered day, of which there may be years, comes on the day before.
amounts as (
    select
        workspace_id,
        agent_id,
        greatest(utc_date, first_date - 1) as utc_date,
        until_date,
        is_open,
        [cost_usd, tokens_in, tokens_out]::decimal(38, 10)[] as listed
    from intermediate.int_late_usage
    join (select distinct workspace_id, first_date from intermediate.int_metered_days)
        using (workspace_id)
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date,
        utc_date + if(agent_id = '(platform)', 1, days + 9) as until_date,
        [unlisted_cost_usd + platform_cost_usd, unlisted_tokens_in, unlisted_tokens_out]
            as unlisted,
        [rolled_up_cost_usd, rolled_up_tokens_in, rolled_up_tokens_out] as rolled_up,
        [metered_cost_usd, metered_tokens_in, metered_tokens_out] as metered,
        [metered_refund_usd, 0, 0] as refunds,
        [tolerance_usd, 0, 0] as tolerance,
        [is_compared, compares_tokens, compares_tokens] as is_compared
    from intermediate.int_agent_day_sums
    join agents using (workspace_id, agent_id)
    union all by name
    -- The hours of the last day on which runs of a day may go on.
    select
        workspace_id,
        agent_id,
        utc_date - days - 1 as utc_date,
        [sum(metered_cost_usd), sum(tokens_in), sum(tokens_out)] as last_hours
    from staging.usage_hours
    join agents using (workspace_id, agent_id)
    where is_current and date_part('hour', hour at time zone 'UTC') * 60 < minutes % 1440
    group by workspace_id, agent_id, utc_date, days
    union all by name
    -- No balance leads over a day that lacks the meter or the roll-ups.
    select workspace_id, agent_id, utc_date, [false, false, false] as is_compared
    from intermediate.int_metered_days
    join agents using (workspace_id)
    where not has_hours or not if(agent_id = '(platform)', has_platform, has_rollups)
),

measures as (
    select
        workspace_id,
        agent_id,
        utc_date,
        until_date,
        is_open,
        unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
        unnest(listed) as listed,
        unnest(unlisted) as unlisted,
        unnest(rolled_up) as rolled_up,
        unnest(metered) as metered,
        unnest(refunds) as refunds,
        unnest(last_hours) as last_hours,
        unnest(tolerance) as tolerance,
        unnest(is_compared) as is_compared
    from amounts
),

sums as (
    select
        workspace_id,
        agent_id,
        measure,
        utc_date,
        to_minutes(minutes) as waiting,
        sum(rolled_up) as rolled_up,
        sum(metered) as metered,
        coalesce(bool_and(is_compared), true) as is_compared,
        coalesce(sum(sum(rolled_up - metered) filter (is_compared)) over so_far, 0) as balance,
        coalesce(sum(sum(listed) filter (is_open)) over so_far, 0) as open,
        coalesce(sum(sum(listed) filter (not is_open)) over so_far, 0) as listed,
        coalesce(sum(sum(unlisted)) over so_far, 0) as unlisted,
        sum(sum(tolerance)) over so_far as tolerated,
        coalesce(sum(last_hours), 0) + coalesce(
            sum(sum(metered)) over (
                so_far range between interval 1 day following and to_days(days) following
            ),
            0
        ) as metered_within,
        coalesce(
            sum(sum(metered)) over (so_far rows between 1 following and unbounded following), 0
        ) as metered_since,
        coalesce(
            sum(sum(refunds)) over (
                so_far range between interval 1 day following and interval 28 days following
            ),
            0
        ) as refunds,
        max(utc_date) filter (not bool_and(is_compared)) over so_far as last_gap,
        min(utc_date) filter (not bool_and(is_compared)) over (
            so_far rows between current row and unbounded following
        ) as next_gap
    from (
        from measures
        union all by name
        select
            workspace_id,
            agent_id,
            measure,
            until_date as utc_date,
            is_open,
            -listed as listed,
            -unlisted as unlisted
        from measures
        where until_date is not null
    )
    join agents using (workspace_id, agent_id)
    group by workspace_id, agent_id, measure, utc_date, minutes, days
    window so_far as (partition by workspace_id, agent_id, measure order by utc_date)
),

-- DuckDB's least() leaves out what is null: a meter with a gap limits nothing.
bounds as (
    select
        sums.*,
        has_ended,
        greatest(last_gap + 1, first_date) as since,
        if(next_gap < utc_date + 1 + waiting, null, greatest(metered_within, 0)) as most_unlisted,
        if(next_gap is null, greatest(metered_since, 0), null) as most_ended,
        balance - open - least(listed + least(unlisted, most_unlisted), most_ended) as low,
        balance + refunds as high,
        balance - coalesce(rolled_up - metered, 0) as opening
    from sums
    join intermediate.int_metered_days using (workspace_id, utc_date)
    where is_compared
),

-- On the first day, and as long as unlisted runs may take, runs that began before it are metered.
openings as (
    select
        *,
        lag(high, 1, opening) over line as opening_high,
        lag(unlisted, 1, 0) over line = 0 as was_listed,
        if(
            utc_date > since + if(was_listed, interval 0 days, waiting),
            lag(low, 1, opening) over line,
            null
        ) as opening_low
    from bounds
    window line as (partition by workspace_id, agent_id, measure, since order by utc_date)
),

beyond as (
    select
        *,
        arg_min(low, (high, -low)) over (line rows between current row and unbounded following)
        - min(opening_high) over recent as lack,
        max(opening_low) filter (was_listed) over recent - high as excess,
        greatest(
            arg_min(opening_low, (opening_high, -opening_low)) filter (
                measure <> 'cost_usd' or agent_id = '(platform)'
            ) over recent,
            if(utc_date >= since + 28, min(opening_low) over line, null)
        ) - high as lowest_excess
    from openings
    where rolled_up is not null
    window
        line as (partition by workspace_id, agent_id, measure, since order by utc_date),
        recent as (line range between interval 28 days preceding and current row)
)

select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    rolled_up,
    metered,
    lack - greatest(max(lack) over before, 0) as lack_step,
    greatest(excess - greatest(max(excess) over before, 0), lowest_excess) as excess_step,
    if(excess_step > tolerated, excess_step, 0) - if(lack_step > tolerated, lack_step, 0)
        as leftover
from beyond
where has_ended
window before as (
    partition by workspace_id, agent_id, measure, since
    order by utc_date
    range between interval 28 days preceding and interval 1 day preceding
)
