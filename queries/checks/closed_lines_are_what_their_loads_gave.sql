-- A closed month's cost and bill of each agent are those that the API had given up to the loads
-- which the close names: two sources, the frozen books and the versions of the meter. A month one
-- of whose loads is lost is not compared.
with

loads as (
    select month as usage_month, workspace_id, max(load_id) as load_id
    from finance.closing_loads
    semi join finance.closings as closings
        on closings.month = closing_loads.month
        and closings.revision = closing_loads.revision
        and closings.status = 'closed'
    group by all
),

given as (
    select
        loads.usage_month,
        versions.workspace_id,
        versions.agent_id,
        sum(versions.metered_cost_usd) as metered_cost_usd,
        sum(versions.billed_usd) as billed_usd
    from loads
    join staging.agent_billing_days as versions
        on versions.workspace_id = loads.workspace_id
        and versions.utc_date between loads.usage_month and last_day(loads.usage_month)
        and versions.load_id <= loads.load_id
        and coalesce(versions.superseded_by_load_id > loads.load_id, true)
    group by all
),

booked as (
    select
        usage_month,
        workspace_id,
        agent_id,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd
    from finance.closed_lines
    group by all
)

select
    usage_month,
    workspace_id,
    agent_id,
    booked.metered_cost_usd as booked_cost_usd,
    given.metered_cost_usd as given_cost_usd,
    booked.billed_usd as booked_billed_usd,
    given.billed_usd as given_billed_usd
from booked
full join given using (usage_month, workspace_id, agent_id)
anti join (
    select workspace_id, month as usage_month from marts.dim_months where is_kept
) using (usage_month, workspace_id)
where
    coalesce(booked.metered_cost_usd, 0) <> coalesce(given.metered_cost_usd, 0)
    or coalesce(booked.billed_usd, 0) <> coalesce(given.billed_usd, 0)
order by all
