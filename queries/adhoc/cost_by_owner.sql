-- What did the agents of each owner cost in the last three months, and what is billed for them?
-- By finance/owners.csv; (none) is what has no owner: other agents, no agent and the platform.
-- Own-key cost is payable to the provider, and not in what Levain bills.
select
    months.month,
    months.workspace_name,
    months.owner,
    months.cost_center,
    months.run_count,
    months.cost_usd,
    months.billed_usd,
    months.own_key_usd,
    months.status
from marts.fct_owner_months as months
join marts.dim_workspaces as workspaces using (workspace_id)
where
    months.month > date_trunc('month', workspaces.last_complete_date) - interval 3 month
    and months.month <= workspaces.last_complete_date
order by
    months.month desc,
    months.cost_usd desc nulls last,
    months.workspace_name,
    months.owner,
    months.cost_center
