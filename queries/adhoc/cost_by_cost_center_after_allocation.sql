-- What does each cost center bear in the last three months, its share of shared cost included?
-- By finance/owners.csv and finance/allocation.toml; (none) is of agents without a cost center, and
-- (not allocated) what no rule shares out. Months are those of the meter (UTC).
select
    months.usage_month,
    workspaces.workspace_name,
    months.cost_center,
    sum(months.metered_cost_usd) as metered_cost_usd,
    if(
        bool_or(months.source = 'direct'),
        sum(months.metered_cost_usd) filter (where months.source = 'direct'),
        0
    )::decimal(38, 10) as direct_cost_usd,
    if(
        bool_or(months.source <> 'direct'),
        sum(months.metered_cost_usd) filter (where months.source <> 'direct'),
        0
    )::decimal(38, 10) as shared_cost_usd,
    sum(months.billed_usd) as billed_usd
from marts.fct_allocations as months
join marts.dim_workspaces as workspaces using (workspace_id)
where
    months.usage_month > date_trunc('month', workspaces.last_complete_date) - interval 3 month
    and months.usage_month <= workspaces.last_complete_date
group by all
order by
    months.usage_month desc,
    metered_cost_usd desc,
    workspaces.workspace_name,
    months.cost_center
