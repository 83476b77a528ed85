-- The bridge of a month leads, by agent and model, from what was billed for the month before to
-- what is billed for the month, to the last digit: by its own steps, and by the charges of both
-- months, those of a closed month as the books have them.
with

closed as (
    select month
    from finance.closings
    where status = 'closed'
),

charges as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        agent_id,
        provider,
        model,
        billed_usd
    from marts.fct_charges
    anti join closed on closed.month = date_trunc('month', fct_charges.utc_date)
    union all
    select workspace_id, usage_month, agent_id, provider, model, billed_usd
    from finance.closed_charges
),

bills as (
    select workspace_id, month, agent_id, provider, model, sum(billed_usd) as billed_usd
    from charges
    group by all
),

bridges as (
    select
        *,
        list_sum([start_usd, *columns('_effect_usd$')]) as steps_usd
    from marts.fct_month_bridge
),

-- Of the months that have a bridge, each workspace's bills on both sides. Where a month is closed
-- and the one before is not, the books alone know what that was when the month was closed.
sides as (
    select bills.*, months.month as bridged_month, bills.month = months.month as is_end
    from bills
    join (select distinct workspace_id, month from bridges) as months
        on months.workspace_id = bills.workspace_id
        and bills.month in (months.month, months.month - interval 1 month)
),

expected as (
    select
        workspace_id,
        bridged_month as month,
        agent_id,
        provider,
        model,
        coalesce(sum(billed_usd) filter (not is_end), 0) as before_usd,
        coalesce(sum(billed_usd) filter (is_end), 0) as now_usd
    from sides
    group by all
)

select
    month,
    workspace_id,
    agent_id,
    provider,
    model,
    start_usd,
    before_usd,
    steps_usd,
    end_usd,
    now_usd
from bridges
full join expected using (workspace_id, month, agent_id, provider, model)
where
    steps_usd is distinct from end_usd
    or coalesce(end_usd, 0) <> coalesce(now_usd, 0)
    or coalesce(start_usd, 0) <> coalesce(before_usd, 0)
    and (
        month not in (from closed)
        or (month - interval 1 month)::date in (from closed)
    )
order by all
