-- The lines of fct_agent_months by owner and cost center: an agent that changes hands within a
-- month has a line for each of its owners. Runs, bill and adjustments belong to the owner of their
-- day; a line without runs of the month has null of their measures.
-- Grain: workspace, line, owner, cost center and month.
-- key: workspace_id, agent_id, owner, cost_center, month
-- materialized: table
-- narrow: month
-- narrow fct_agent_days: date_trunc('month', date)::date
-- narrow int_agent_billing_days: date_trunc('month', utc_date)::date
-- narrow int_metered_days: date_trunc('month', utc_date)::date
-- narrow fct_adjustments: date_trunc('month', date)::date
with

days as (
    select *, date_trunc('month', date)::date as month
    from marts.fct_agent_days
),

bills as (
    select
        workspace_id,
        agent_id,
        owner,
        cost_center,
        date_trunc('month', utc_date)::date as month,
        sum(columns('_usd$')) as '\0',
        count(*) - count(surcharge_usd) as unknown_bill_count
    from intermediate.int_agent_billing_days
    group by all
),

-- Days with a line, of which the API refuses the bill.
refused as (
    select
        days.workspace_id,
        days.agent_id,
        days.owner,
        days.cost_center,
        days.month,
        count(*) as refused_count
    from days
    join intermediate.int_metered_days as metered
        on metered.workspace_id = days.workspace_id and metered.utc_date = days.date
    where not metered.has_agent_bill and days.agent_id <> '(none)'
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

lines as (
    select
        workspace_id,
        agent_id,
        agents.line_type,
        owner,
        cost_center,
        month,
        measures.* exclude (workspace_id, agent_id, owner, cost_center, month),
        bills.month is not null as has_bill,
        bills.metered_cost_usd,
        bills.billed_usd,
        if(months.has_provider_keys is false, null, bills.surcharge_usd) as surcharge_usd,
        if(months.has_provider_keys is false, null, bills.own_key_usd) as own_key_usd,
        agent_id <> '(none)' and coalesce(months.has_agent_bill, false) as would_have_bill,
        coalesce(bills.unknown_bill_count, 0) + coalesce(refused.refused_count, 0)
            as unknown_bill_count,
        coalesce(adjustments.adjusted_run_count, 0) as adjusted_run_count,
        coalesce(adjustments.adjusted_cost_usd, 0)::decimal(38, 10) as adjusted_cost_usd
    from roll_up(days, workspace_id, agent_id, owner, cost_center, month) as measures
    full join bills using (workspace_id, agent_id, owner, cost_center, month)
    full join adjustments using (workspace_id, agent_id, owner, cost_center, month)
    left join refused using (workspace_id, agent_id, owner, cost_center, month)
    left join marts.dim_months as months using (workspace_id, month)
    left join marts.dim_agents as agents using (workspace_id, agent_id)
)

-- A line without a bill is billed 0 where the API would have reported one, or where another owner
-- has that of the month, and unknown elsewhere.
select
    * exclude (
        has_bill, would_have_bill, metered_cost_usd, billed_usd, surcharge_usd, own_key_usd
    ),
    case
        when has_bill then columns('^(metered_cost|billed|surcharge|own_key)_usd$')
        when
            count(columns('^(metered_cost|billed|surcharge|own_key)_usd$')) over line > 0
            or (would_have_bill and not bool_or(has_bill) over line)
            then 0
    end::decimal(38, 10)
from lines
window line as (partition by workspace_id, agent_id, month)
order by workspace_id, month, agent_id, owner, cost_center
