-- What we hold of an agent's UTC day beside what the API reports of it by its counts, its roll-ups
-- and its hourly meter. Of the meter's difference to the roll-up, the timing difference is what may
-- be usage that was metered on another day than that of its run, and the leftover is the rest. The
-- line '(platform)' is the metered usage that names no agent: the platform's own, and that of runs
-- without an agent.
-- On a day, no more can be metered than its runs cost and what earlier ones had under way when it
-- began, and no less than they cost, but for what is under way when it ends. What leaves a day must
-- come to a later one, too: since the beginning of each of the last 28 days, an agent's cost can
-- have been metered above its roll-ups by no more than was under way then, and below them by no
-- more than is under way now. What was left over by that on one day is not on the next ones.
-- The API lists none of the platform's runs: where one crossed midnight, the differences that
-- nothing else explains add up to nothing over the days that it touches.
-- Where the API refuses the meter or the roll-up, or gives one without a cost, both differences
-- are unknown.
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

-- Usage is under way from the day of its run, or that before the first one, until its last day.
steps as (
    select workspace_id, agent_id, utc_date, sum(columns('^begun_|^ended_'))
    from (
        select
            workspace_id,
            agent_id,
            unnest([greatest(utc_date, first_date - 1), until_date]) as utc_date,
            unnest([cost_usd, 0]) as begun_usd,
            unnest([0, cost_usd]) as ended_usd,
            unnest([refund_usd, 0]) as begun_refund_usd,
            unnest([0, refund_usd]) as ended_refund_usd,
            unnest([tokens_in, 0]) as begun_in,
            unnest([0, tokens_in]) as ended_in,
            unnest([tokens_out, 0]) as begun_out,
            unnest([0, tokens_out]) as ended_out
        from intermediate.int_late_usage
        join (
            select workspace_id, min(utc_date) as first_date
            from intermediate.int_metered_days
            group by workspace_id
        ) using (workspace_id)
        where until_date >= first_date
    )
    group by workspace_id, agent_id, utc_date
),

figures as (
    select
        workspace_id,
        agent_id,
        utc_date,
        columns('^api_(.*_count|cost_usd)$'),
        coalesce(api_tokens_in, platform_tokens_in) as api_tokens_in,
        coalesce(api_tokens_out, platform_tokens_out) as api_tokens_out,
        coalesce(columns('^(listed|unknown|provisional|metered|begun|ended)_'), 0),
        coalesce(columns('^((run|open|platform|unlisted)_cost_usd|unlisted_run_count)$'), 0),
        coalesce(lacks_rollup, false) or coalesce(lacks_platform, false) as lacks_rollup,
        coalesce(lacks_hours, false) as lacks_hours,
        coalesce(lacks_metered_tokens, false)
        or coalesce(lacks_platform_tokens, false)
        or coalesce(unknown_token_count, 0) > 0 as lacks_tokens,
        last_finished_at,
        coalesce(row_count, platform_row_count) is null as is_of_late_usage,
        (coalesce(row_count, 0) + coalesce(platform_row_count, 0)) * 0.00000000005
            as tolerance_usd
    from agents
    full join platform using (workspace_id, agent_id, utc_date)
    full join steps using (workspace_id, agent_id, utc_date)
),

-- No balance leads over a day that lacks the meter or the roll-ups.
metered_days as (
    select
        *,
        count(*) filter (not (has_hours and has_rollups)) over (
            partition by workspace_id order by utc_date
        ) as gap_count
    from intermediate.int_metered_days
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
            as rolled_up_tokens_out,
        coalesce(is_compared and days.is_metered and has_ended, false) and agent_id <> '(platform)'
            as is_balanced,
        utc_date > first_date as is_after_first,
        gap_count
    from figures
    left join metered_days as days using (workspace_id, utc_date)
    left join ledger.workspaces using (workspace_id)
),

measures as (
    select
        workspace_id,
        agent_id,
        utc_date,
        is_after_first,
        gap_count,
        lacks_sums,
        unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
        unnest([is_balanced, false, false]) as is_balanced,
        unnest([
            metered_cost_usd - rolled_up_cost_usd,
            if(lacks_tokens, null, metered_tokens_in - rolled_up_tokens_in),
            if(lacks_tokens, null, metered_tokens_out - rolled_up_tokens_out)
        ]::decimal(38, 10)[]) as difference,
        unnest([begun_usd, begun_in, begun_out]::decimal(38, 10)[]) as begun,
        unnest([ended_usd, ended_in, ended_out]::decimal(38, 10)[]) as ended,
        unnest([begun_refund_usd, 0, 0]) as begun_refund,
        unnest([ended_refund_usd, 0, 0]) as ended_refund,
        unnest([tolerance_usd, 0, 0]) as tolerance
    from compared
),

-- At the end of the day, and by that when it began.
under_way as (
    select
        *,
        sum(begun - ended) over so_far as under_way,
        sum(begun_refund - ended_refund) over so_far as refund_under_way,
        under_way - begun + ended as earlier,
        refund_under_way - begun_refund + ended_refund as earlier_refund,
        sum(if(is_balanced, difference, 0)) over so_far as balance,
        balance - difference as previous,
        gap_count + count(*) filter (lacks_sums) over so_far as stretch
    from measures
    window so_far as (partition by workspace_id, agent_id, measure order by utc_date)
),

-- What runs of the day before the first one used on it is unknown.
bounded as (
    select
        *,
        greatest(difference - earlier - begun_refund, 0) as above,
        greatest(-difference - begun - earlier_refund, 0) as below
    from under_way
),

balances as (
    select
        *,
        greatest(
            above,
            balance
            - min(previous + earlier) filter (is_balanced and is_after_first) over recent
            - refund_under_way
            - sum(tolerance) over recent
        ) as excess,
        greatest(
            below,
            max(previous - earlier_refund) filter (is_balanced) over recent
            - balance
            - under_way
            - sum(tolerance) over recent
        ) as lack
    from bounded
    where measure = 'cost_usd'
    window recent as (
        partition by workspace_id, agent_id, stretch
        order by utc_date
        range between interval 28 days preceding and current row
    )
),

newly_beyond as (
    select
        *,
        excess - coalesce(max(excess) filter (is_after_first) over before, 0) as excess_step,
        lack - coalesce(max(lack) over before, 0) as lack_step
    from balances
    window before as (
        partition by workspace_id, agent_id, stretch
        order by utc_date
        range between interval 28 days preceding and interval 1 day preceding
    )
),

left_over as (
    select
        *,
        case
            when is_balanced then greatest(above, excess_step) - greatest(below, lack_step)
            when difference is not null then above - below
        end as leftover,
        abs(leftover) > tolerance as is_left
    from (from newly_beyond union all by name from bounded where measure <> 'cost_usd')
),

crossings as (
    select workspace_id, agent_id, utc_date, measure, true as is_crossing
    from (
        select
            *,
            utc_date - (row_number() over (
                partition by workspace_id, measure order by utc_date
            ))::integer as crossing
        from left_over
        where agent_id = '(platform)' and is_left
    )
    window crossed as (partition by workspace_id, measure, crossing)
    qualify abs(sum(leftover) over crossed) <= sum(tolerance) over crossed
),

leftovers as (
    select
        workspace_id,
        agent_id,
        utc_date,
        max(if(is_crossing, 0, leftover)) filter (measure = 'cost_usd') as leftover_usd,
        max(if(is_crossing, 0, leftover)) filter (measure = 'tokens_in') as leftover_tokens_in,
        max(if(is_crossing, 0, leftover)) filter (measure = 'tokens_out') as leftover_tokens_out
    from left_over
    left join crossings using (workspace_id, agent_id, utc_date, measure)
    group by workspace_id, agent_id, utc_date
)

select
    compared.* exclude (
        knows_hours, lacks_rollup, lacks_hours, lacks_tokens, no_roll_up, is_compared, is_balanced,
        is_after_first, is_of_late_usage, gap_count, last_finished_at, listed_duration_ms,
        metered_row_count, begun_usd, ended_usd, begun_refund_usd, ended_refund_usd, begun_in,
        ended_in, begun_out, ended_out
    ) replace (
        coalesce(api_rollup_run_count, no_roll_up) as api_rollup_run_count,
        coalesce(api_cost_usd, no_roll_up) as api_cost_usd,
        coalesce(api_tokens_in, no_roll_up) as api_tokens_in,
        coalesce(api_tokens_out, no_roll_up) as api_tokens_out,
        rolled_up_cost_usd::decimal(38, 10) as rolled_up_cost_usd,
        if(knows_hours, metered_cost_usd, null) as metered_cost_usd
    ),
    leftover_usd,
    leftover_tokens_in,
    leftover_tokens_out,
    if(is_compared, metered_cost_usd - rolled_up_cost_usd - leftover_usd, null)::decimal(38, 10)
        as timing_difference_usd,
    if(
        is_compared,
        rolled_up_cost_usd
        - run_cost_usd
        - open_cost_usd
        - platform_cost_usd
        - unlisted_cost_usd
        + leftover_usd,
        null
    )::decimal(38, 10) as unexplained_usd
from compared
join leftovers using (workspace_id, agent_id, utc_date)
where has_ended is not null and (not is_of_late_usage or leftover_usd <> 0)
