-- The first adjustment of a closed line starts from what the close booked, the next one from where
-- the one before ended, and each ends by its difference later.
with

measures as (
    select [
        'metered_cost_usd', 'billed_usd', 'surcharge_usd',
        'own_key_usd', 'run_count', 'listed_run_count'
    ] as names
),

lines as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        unnest(names) as measure,
        unnest([
            metered_cost_usd, billed_usd, surcharge_usd, own_key_usd, run_count, listed_run_count
        ]) as closed
    from finance.closed_lines
    cross join measures
),

adjustments as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        booked_month,
        cause,
        unnest(names) as measure,
        unnest([
            previous_metered_cost_usd, previous_billed_usd,
            previous_surcharge_usd, previous_own_key_usd,
            previous_run_count, previous_listed_run_count
        ]) as previous,
        unnest([
            current_metered_cost_usd, current_billed_usd,
            current_surcharge_usd, current_own_key_usd,
            current_run_count, current_listed_run_count
        ]) as "current",
        unnest([
            difference_metered_cost_usd, difference_billed_usd, difference_surcharge_usd,
            difference_own_key_usd, difference_run_count, difference_listed_run_count
        ]) as difference
    from marts.fct_period_adjustments
    cross join measures
)

select
    adjustments.*,
    coalesce(lag(adjustments."current") over line, lines.closed, 0) as expected
from adjustments
left join lines
    using (usage_month, workspace_id, agent_id, owner, cost_center, measure)
window line as (
    partition by usage_month, workspace_id, agent_id, owner, cost_center, measure
    order by booked_month, cause
)
qualify previous <> expected or "current" <> previous + difference
order by all
