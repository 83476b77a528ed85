-- What did the agents of each owner cost in the last three months, and what is billed for them?
-- By finance/owners.csv; (none) is what has no owner: other agents, no agent and the platform.
-- Own-key cost is payable to the provider, and not in what Levain bills. Both are those of a closed
-- month as it was closed, and beside them what changed since. An amount is null where that of a day
-- is unknown, or the API refuses the bill by agent of one.
with

days as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        owner,
        cost_center,
        run_count,
        cost_usd
    from marts.fct_agent_days
    union all by name
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        owner,
        cost_center,
        true as is_charged,
        billed_usd,
        own_key_usd
    from marts.fct_charges
    union all by name
    select
        workspace_id,
        usage_month as month,
        owner,
        cost_center,
        difference_billed_usd as billed_since_usd,
        difference_own_key_usd as own_key_since_usd
    from marts.fct_period_adjustments
)

select
    days.month,
    workspaces.workspace_name,
    days.owner,
    days.cost_center,
    coalesce(sum(days.run_count), 0)::bigint as run_count,
    if(
        count(days.cost_usd) = count(days.run_count), coalesce(sum(days.cost_usd), 0), null
    ) as cost_usd,
    if(
        months.has_agent_bill and count(days.billed_usd) = count(days.is_charged),
        coalesce(sum(days.billed_usd), 0) - coalesce(sum(days.billed_since_usd), 0),
        null
    ) as billed_usd,
    sum(days.billed_since_usd) as billed_since_usd,
    if(
        months.has_agent_bill and count(days.own_key_usd) = count(days.is_charged),
        coalesce(sum(days.own_key_usd), 0) - coalesce(sum(days.own_key_since_usd), 0),
        null
    ) as own_key_usd,
    sum(days.own_key_since_usd) as own_key_since_usd,
    months.status
from days
join marts.dim_workspaces as workspaces using (workspace_id)
join marts.dim_months as months using (workspace_id, month)
where
    days.month > date_trunc('month', workspaces.last_complete_date) - interval 3 month
    and days.month <= workspaces.last_complete_date
group by
    days.month,
    workspaces.workspace_name,
    days.owner,
    days.cost_center,
    months.status,
    months.has_agent_bill
order by
    days.month desc,
    cost_usd desc nulls last,
    workspaces.workspace_name,
    days.owner,
    days.cost_center
