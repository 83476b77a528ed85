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
    from marts.fct_charges
    anti join unknown using (workspace_id, utc_date, agent_id)
    union all by name
    from intermediate.int_booked_charges
    semi join unknown using (workspace_id, utc_date, agent_id)
),

figures as (
    select
        usage_month, workspace_id, agent_id, owner, cost_center, run_count,
        columns('^(metered_cost|billed|surcharge|own_key)_usd$')
    from finance.closed_lines
    union all by name
    select
        usage_month, workspace_id, agent_id, owner, cost_center,
        columns('^difference_(.*_usd|run_count)$') as '\1'
    from marts.fct_period_adjustments
    union all by name
    select
        date_trunc('month', utc_date)::date as usage_month,
        workspace_id, agent_id, owner, cost_center,
        -columns('_usd$') as '\0'
    from charges
    where date_trunc('month', utc_date) in (select month from closed_months)
    union all by name
    select
        month as usage_month, workspace_id, agent_id, owner, cost_center,
        -run_count as run_count
    from intermediate.int_agent_owner_months
    where month in (select month from closed_months)
),

sums as (
    select
        usage_month, workspace_id, agent_id, owner, cost_center,
        coalesce(sum(columns('_usd$|^run_count$')), 0) as '\0'
    from figures
    anti join (
        select workspace_id, month as usage_month from marts.dim_months where is_kept
    ) using (usage_month, workspace_id)
    group by all
)

from sums
where greatest(*columns('_usd$|^run_count$')) > 0 or least(*columns('_usd$|^run_count$')) < 0
order by all
