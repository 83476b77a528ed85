-- What finance is given of a month is, to the last digit, what its sources hold of it.
with

lines as (
    select
        workspace_id,
        month,
        sum(run_count) as run_count,
        sum(failed_count) as failed_count,
        sum(failed_cost_usd) as failed_cost_usd,
        sum(missing_run_count) as missing_run_count,
        sum(complete_cost_usd) as complete_cost_usd,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(not_billed_usd) as not_billed_usd,
        sum(adjusted_cost_usd) as adjusted_cost_usd
    from marts.fct_agent_months_complete
    group by workspace_id, month
),

days as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        sum(run_count + platform_run_count) as run_count,
        sum(failed_count) as failed_count,
        sum(failed_cost_usd) as failed_cost_usd,
        sum(missing_run_count) as missing_run_count,
        sum(complete_cost_usd) as complete_cost_usd
    from marts.fct_workspace_days_complete
    group by all
),

bills as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        sum(cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(not_billed_usd) as not_billed_usd
    from marts.fct_agent_billing_days
    group by all
),

changes as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        sum(current_cost_usd - previous_cost_usd) as adjusted_cost_usd
    from marts.fct_adjustments
    group by all
)

select
    workspace_id,
    month,
    lines.complete_cost_usd,
    days.complete_cost_usd as days_complete_cost_usd,
    lines.billed_usd,
    bills.billed_usd as bills_billed_usd
from lines
full join days using (workspace_id, month)
full join bills using (workspace_id, month)
full join changes using (workspace_id, month)
where
    coalesce(lines.run_count, 0) <> coalesce(days.run_count, 0)
    or coalesce(lines.failed_count, 0) <> coalesce(days.failed_count, 0)
    or coalesce(lines.failed_cost_usd, 0) <> coalesce(days.failed_cost_usd, 0)
    or coalesce(lines.missing_run_count, 0) <> coalesce(days.missing_run_count, 0)
    or coalesce(lines.complete_cost_usd, 0) <> coalesce(days.complete_cost_usd, 0)
    or coalesce(lines.metered_cost_usd, 0) <> coalesce(bills.metered_cost_usd, 0)
    or coalesce(lines.billed_usd, 0) <> coalesce(bills.billed_usd, 0)
    or coalesce(lines.not_billed_usd, 0) <> coalesce(bills.not_billed_usd, 0)
    or coalesce(lines.adjusted_cost_usd, 0) <> coalesce(changes.adjusted_cost_usd, 0)
