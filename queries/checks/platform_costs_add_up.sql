-- The platform's cost of a workspace's date and month is that of the platform's line, to the last
-- digit.
with

workspaces as (
    select workspace_id, 'date' as period, date as starts_on, platform_cost_usd
    from marts.fct_workspace_days
    union all
    select workspace_id, 'month', month, platform_cost_usd
    from marts.fct_workspace_months
),

lines as (
    select workspace_id, 'date' as period, date as starts_on, cost_usd as line_cost_usd
    from marts.fct_agent_days
    where line_type = 'platform'
    union all
    select workspace_id, 'month', month, cost_usd
    from marts.fct_agent_months
    where line_type = 'platform'
)

select workspace_id, period, starts_on, platform_cost_usd, line_cost_usd
from workspaces
full join lines using (workspace_id, period, starts_on)
where coalesce(platform_cost_usd, 0) <> coalesce(line_cost_usd, 0)
order by workspace_id, period, starts_on
