-- A month as finance books it: all runs of an agent, listed and unlisted, the bill taken apart, and
-- what changed after it was first published; with a line for runs without an agent and one for the
-- platform, so that the lines of a workspace add up to fct_workspace_months. Runs and adjustments
-- are those of dates in the reporting time zone; unlisted runs, bill and the platform are known by
-- UTC day only, and stand under the same calendar month. Usage that names no agent is metered and
-- billed on the platform's line. Surcharge and own-key cost are unknown where the API refuses the
-- workspace's provider keys. Grain: workspace, line and month.
-- key: workspace_id, agent_id, month
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (begins unread), final or closed.
-- column is_complete: True once every date of the month is complete.
with

bills as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', utc_date)::date as month,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(surcharge_usd) as surcharge_usd,
        sum(own_key_usd) as own_key_usd
    from intermediate.int_agent_billing_days
    group by all
),

adjustments as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', date)::date as month,
        sum(current_run_count - previous_run_count)::bigint as adjusted_run_count,
        sum(current_cost_usd - previous_cost_usd) as adjusted_cost_usd
    from marts.fct_adjustments
    group by all
),

measures as (
    select * exclude (scope, owner, cost_center, period, starts_on, platform_cost_usd)
    from intermediate.int_measures
    where scope = 'agent' and period = 'month'
),

lines as (
    select workspace_id, agent_id, month
    from measures
    union
    select workspace_id, agent_id, month
    from bills
    union
    select workspace_id, agent_id, month
    from adjustments
),

-- What a line lacks is 0 where the API would have reported it, and unknown elsewhere. Without runs
-- there is nothing of a measure, and no failure rate.
filled as (
    select
        lines.*,
        if(measures.month is null, 0, columns(measures.* exclude (workspace_id, agent_id, month))),
        months.status,
        months.is_complete,
        if(agent_id <> '(none)' and months.has_agent_bill, 0, null) as without_bill,
        coalesce(months.has_provider_keys, true) as has_provider_keys
    from lines
    left join measures using (workspace_id, agent_id, month)
    left join marts.dim_months as months using (workspace_id, month)
)

select
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    month,
    coalesce(filled.status, 'incomplete') as status,
    filled.* exclude (
        workspace_id, agent_id, month, status, is_complete, without_bill, has_provider_keys
    ) replace (
        if(run_count > 0, failure_rate, null) as failure_rate,
        if(run_count > 0, failure_rate_low, null) as failure_rate_low,
        if(run_count > 0, failure_rate_high, null) as failure_rate_high
    ),
    if(bills.month is null, without_bill, bills.metered_cost_usd)::decimal(38, 10)
        as metered_cost_usd,
    if(bills.month is null, without_bill, bills.billed_usd)::decimal(38, 10) as billed_usd,
    case
        when bills.month is null then without_bill
        when has_provider_keys then bills.surcharge_usd
    end::decimal(38, 10) as surcharge_usd,
    case
        when bills.month is null then without_bill
        when has_provider_keys then bills.own_key_usd
    end::decimal(38, 10) as own_key_usd,
    coalesce(adjustments.adjusted_run_count, 0) as adjusted_run_count,
    coalesce(adjustments.adjusted_cost_usd, 0)::decimal(38, 10) as adjusted_cost_usd,
    coalesce(filled.is_complete, false) as is_complete
from filled
join marts.dim_workspaces as workspaces using (workspace_id)
left join bills using (workspace_id, agent_id, month)
left join adjustments using (workspace_id, agent_id, month)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, month, agent_id
