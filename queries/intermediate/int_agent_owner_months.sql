-- The lines of fct_agent_months by owner and cost center: an agent that changes hands within a
-- month has a line for each of its owners. Runs, bill and adjustments belong to the owner of their
-- day.
-- Grain: workspace, line, owner, cost center and month.
-- key: workspace_id, agent_id, owner, cost_center, month
-- materialized: table
with

bills as (
    select
        workspace_id,
        agent_id,
        owner,
        cost_center,
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
        changes.workspace_id,
        changes.agent_id,
        coalesce(spans.owner, '(none)') as owner,
        coalesce(spans.cost_center, '(none)') as cost_center,
        date_trunc('month', changes.date)::date as month,
        sum(changes.current_run_count - changes.previous_run_count)::bigint as adjusted_run_count,
        sum(changes.current_cost_usd - changes.previous_cost_usd) as adjusted_cost_usd
    from marts.fct_adjustments as changes
    left join intermediate.int_owner_spans as spans
        on spans.workspace_id = changes.workspace_id
        and spans.agent_id = changes.agent_id
        and changes.date between spans.first_date and spans.last_date
    group by all
),

measures as (
    select * exclude (
        scope, period, starts_on, platform_cost_usd,
        failure_rate, failure_rate_low, failure_rate_high
    )
    from intermediate.int_measures
    where scope = 'agent_owner' and period = 'month'
),

lines as (
    select workspace_id, agent_id, owner, cost_center, month
    from measures
    union
    select workspace_id, agent_id, owner, cost_center, month
    from bills
    union
    select workspace_id, agent_id, owner, cost_center, month
    from adjustments
),

-- Without runs there is nothing of a measure.
filled as (
    select
        lines.*,
        if(measures.month is null, 0, columns(measures.* exclude (
            workspace_id, agent_id, owner, cost_center, month
        )))
    from lines
    left join measures using (workspace_id, agent_id, owner, cost_center, month)
)

-- The bill of a month that is known has nothing of an owner whom it does not name.
select
    workspace_id,
    agent_id,
    months.line_type,
    owner,
    cost_center,
    month,
    filled.* exclude (workspace_id, agent_id, owner, cost_center, month),
    if(
        bills.month is null and months.metered_cost_usd is not null, 0, bills.metered_cost_usd
    )::decimal(38, 10) as metered_cost_usd,
    if(
        bills.month is null and months.billed_usd is not null, 0, bills.billed_usd
    )::decimal(38, 10) as billed_usd,
    case
        when bills.month is null and months.surcharge_usd is not null then 0
        when months.own_key_usd is not null then bills.surcharge_usd
    end::decimal(38, 10) as surcharge_usd,
    if(months.own_key_usd is null, null, coalesce(bills.own_key_usd, 0))::decimal(38, 10)
        as own_key_usd,
    coalesce(adjustments.adjusted_run_count, 0) as adjusted_run_count,
    coalesce(adjustments.adjusted_cost_usd, 0)::decimal(38, 10) as adjusted_cost_usd
from filled
join marts.fct_agent_months as months using (workspace_id, agent_id, month)
left join bills using (workspace_id, agent_id, owner, cost_center, month)
left join adjustments using (workspace_id, agent_id, owner, cost_center, month)
order by workspace_id, month, agent_id, owner, cost_center
