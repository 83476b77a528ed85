-- Adjustments of closed months, each a line of the next open month: of what is booked, and of the
-- number of runs. In these, metered cost, billed, surcharge, own-key cost, run_count and
-- listed_run_count, closed lines and adjustments add up to today's figures, to the last digit.
-- No entry books the others of a line, so that nothing adjusts succeeded_count, failed_count,
-- cancelled_count, cost_usd, failed_cost_usd, failed_cost_high_usd and unknown_cost_count: closed
-- lines keep them, and fct_agent_months has today's. Tokens are adjusted in fct_charge_adjustments.
-- Amounts are sums of fct_charge_adjustments. Counts are of runs created in the usage month; a
-- run that the API's list shows for the first time, and that was counted before, changes
-- listed_run_count alone (run_listed).
-- Causes: runs were added to a day (late_run) or taken from it (run_removed); its cost or its bill
-- alone was corrected; amounts moved between models, providers, surcharge and own key alone
-- (split_corrected); or another owner has the day (owner_changed).
-- Grain: usage month, booked month, line, owner, cost center and cause.
-- key: usage_month, booked_month, workspace_id, agent_id, owner, cost_center, cause
-- ref agent_id: dim_agents
-- values cause: late_run, run_removed, run_listed, cost_corrected, bill_corrected, split_corrected,
-- owner_changed
-- column usage_month: First day of the closed month to which the usage belongs.
-- column booked_month: First day of the month that books it: closed, or the next to close.
-- column cause: Why it changed: late_run, run_removed, run_listed, cost_corrected, bill_corrected,
-- split_corrected or owner_changed.
-- column load_id: The last load that changed the line.
-- column previous_metered_cost_usd: Metered cost in US dollars before the adjustment.
-- column current_metered_cost_usd: Metered cost in US dollars after it.
-- column previous_run_count: Runs before the adjustment.
-- column current_run_count: Runs after it.
with

months as (
    select month, (max(month) over () + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

amounts as (
    select
        usage_month,
        booked_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        cause,
        is_booked,
        max(load_id) as load_id,
        sum(columns('_usd$'))
    from marts.fct_charge_adjustments
    group by all
    having
        sum(metered_cost_usd) <> 0
        or sum(billed_usd) <> 0
        or sum(surcharge_usd) <> 0
        or sum(own_key_usd) <> 0
),

-- Runs of today less those of the books.
run_differences as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        sum(run_count) as run_count,
        sum(listed_run_count) as listed_run_count,
        -sum(least(run_count, 0)) as booked_run_count
    from (
        select
            month as usage_month, workspace_id, agent_id, owner, cost_center,
            run_count, listed_run_count
        from intermediate.int_agent_owner_months
        where month in (select month from months)
        union all by name
        select
            usage_month, workspace_id, agent_id, owner, cost_center,
            -columns('^(listed_)?run_count$')
        from (from finance.closed_lines union all by name from finance.closed_run_adjustments)
    ) as runs
    anti join (
        select workspace_id, month as usage_month from marts.dim_months where is_kept
    ) using (usage_month, workspace_id)
    group by all
    having sum(run_count) <> 0 or sum(listed_run_count) <> 0
),

-- Where runs of a line rose for one owner and fell for another, the line's own change stands at the
-- owner with most of its runs, and the rest changed hands.
changed_lines as (
    select
        *,
        min(least(run_count, listed_run_count)) over line < 0
        and max(greatest(run_count, listed_run_count)) over line > 0 as is_mixed,
        row_number() over (
            partition by usage_month, workspace_id, agent_id
            order by booked_run_count desc, owner, cost_center
        ) = 1 as is_first,
        case
            when not is_mixed then run_count
            when is_first then sum(run_count) over line
            else 0
        end as own_run_count,
        case
            when not is_mixed then listed_run_count
            when is_first then sum(listed_run_count) over line
            else 0
        end as own_listed_run_count
    from run_differences
    window line as (partition by usage_month, workspace_id, agent_id)
),

run_causes as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        case
            when is_moved then 'owner_changed'
            when run_count > 0 then 'late_run'
            when run_count < 0 then 'run_removed'
            else 'run_listed'
        end as cause,
        run_count,
        listed_run_count
    from (
        select
            * exclude (run_count, listed_run_count),
            unnest([false, true]) as is_moved,
            unnest([own_run_count, changed_lines.run_count - own_run_count]) as run_count,
            unnest([own_listed_run_count, changed_lines.listed_run_count - own_listed_run_count])
                as listed_run_count
        from changed_lines
    )
    where run_count <> 0 or listed_run_count <> 0
),

last_loads as (
    select workspace_id, max(load_id) as load_id
    from ledger.loads
    group by workspace_id
),

runs as (
    select *, true as is_booked
    from finance.closed_run_adjustments
    union all by name
    select
        run_causes.*,
        (select any_value(next_month) from months) as booked_month,
        last_loads.load_id,
        false as is_booked
    from run_causes
    left join last_loads using (workspace_id)
),

adjustments as (
    select
        usage_month,
        booked_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        cause,
        is_booked,
        coalesce(amounts.load_id, runs.load_id) as load_id,
        coalesce(columns('_usd$|run_count$'), 0)
    from amounts
    full join runs using (
        usage_month, booked_month, workspace_id, agent_id, owner, cost_center, cause, is_booked
    )
),

-- Adjustments of a line follow one another by the month that books them, then by cause; first comes
-- the line as it was closed, without a cause.
totals as (
    select
        * exclude (
            metered_cost_usd, billed_usd, surcharge_usd, own_key_usd, run_count, listed_run_count
        ),
        coalesce(
            sum(columns('_usd$|run_count$')) over (
                so_far rows between unbounded preceding and 1 preceding
            ),
            0
        ) as 'previous_\0',
        sum(columns('_usd$|run_count$')) over (so_far rows unbounded preceding) as 'current_\0',
        columns('_usd$|run_count$') as 'difference_\0'
    from (
        from adjustments
        union all by name
        select
            usage_month, workspace_id, agent_id, owner, cost_center,
            columns('^(metered_cost|billed|surcharge|own_key)_usd$|^(listed_)?run_count$')
        from finance.closed_lines
    )
    window so_far as (
        partition by usage_month, workspace_id, agent_id, owner, cost_center
        order by booked_month nulls first, cause
    )
)

select
    totals.usage_month,
    totals.booked_month,
    totals.workspace_id,
    workspaces.workspace_name,
    totals.agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    totals.owner,
    totals.cost_center,
    totals.cause,
    totals.load_id,
    totals.is_booked,
    columns('^(previous|current|difference)_.*_usd$')::decimal(38, 10),
    columns('^(previous|current|difference)_.*_count$')::bigint
from totals
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
where cause is not null
order by booked_month, usage_month, workspace_id, agent_id, totals.owner, totals.cost_center, cause
