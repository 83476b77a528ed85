-- Closed lines and their adjustments add up to today's charges and runs, to the last digit; an
-- agent's day of unknown cost or bill, and a month a load of which is lost, stay as booked.
with

-- One of them may have no line.
closed_months as (
    select month
    from audit.closings
    where status = 'closed'
),

unknown as (
    select distinct workspace_id, utc_date, agent_id
    from marts.fct_charges
    where metered_cost_usd is null or billed_usd is null or own_key_usd is null
),

charges as (
    select workspace_id, utc_date, agent_id, owner, cost_center, metered_cost_usd, billed_usd,
        surcharge_usd, own_key_usd
    from marts.fct_charges
    anti join unknown using (workspace_id, utc_date, agent_id)
    union all by name
    select workspace_id, utc_date, agent_id, owner, cost_center, metered_cost_usd, billed_usd,
        surcharge_usd, own_key_usd
    from intermediate.int_booked_charges
    semi join unknown using (workspace_id, utc_date, agent_id)
),

figures as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd,
        run_count
    from finance.closed_lines
    union all
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        difference_metered_cost_usd,
        difference_billed_usd,
        difference_surcharge_usd,
        difference_own_key_usd,
        difference_run_count
    from marts.fct_period_adjustments
    union all
    select
        date_trunc('month', utc_date)::date,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        -metered_cost_usd,
        -billed_usd,
        -surcharge_usd,
        -own_key_usd,
        0
    from charges
    where date_trunc('month', utc_date) in (select month from closed_months)
    union all
    select month, workspace_id, agent_id, owner, cost_center, 0, 0, 0, 0, -run_count
    from intermediate.int_agent_owner_months
    where month in (select month from closed_months)
)

select
    usage_month,
    workspace_id,
    agent_id,
    owner,
    cost_center,
    sum(metered_cost_usd) as metered_cost_usd,
    sum(billed_usd) as billed_usd,
    sum(surcharge_usd) as surcharge_usd,
    sum(own_key_usd) as own_key_usd,
    sum(run_count) as run_count
from figures
anti join (
    select workspace_id, month as usage_month from marts.dim_months where is_kept
) using (usage_month, workspace_id)
group by all
having
    sum(metered_cost_usd) <> 0
    or sum(billed_usd) <> 0
    or sum(surcharge_usd) <> 0
    or sum(own_key_usd) <> 0
    or sum(run_count) <> 0
order by all
