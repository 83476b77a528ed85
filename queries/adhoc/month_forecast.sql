-- At which cost will this month end for each workspace and agent, going by its complete days?
-- An estimate with an 80 % and a 95 % range; the method is in the comment of fct_forecasts. Agents
-- that cost nothing in the last 28 complete days are left out.
select
    workspaces.workspace_name,
    coalesce(forecasts.agent_name, 'All agents and the platform') as agent_name,
    forecasts.month,
    workspaces.last_complete_date,
    forecasts.cost_to_date_usd,
    forecasts.low_95_usd,
    forecasts.low_usd,
    forecasts.expected_usd,
    forecasts.high_usd,
    forecasts.high_95_usd,
    forecasts.days_left,
    forecasts.basis_day_count,
    forecasts.tested_month_count,
    forecasts.test_count,
    forecasts.hit_count,
    forecasts.hit_rate
from marts.fct_forecasts as forecasts
join marts.dim_workspaces as workspaces using (workspace_id)
where
    forecasts.agent_id = '(all)'
    or exists (
        from marts.fct_agent_days as days
        where
            days.workspace_id = forecasts.workspace_id
            and days.agent_id = forecasts.agent_id
            and days.date > workspaces.last_complete_date - 28
            and days.cost_usd > 0
    )
order by
    workspaces.workspace_name,
    forecasts.agent_id = '(all)' desc,
    forecasts.expected_usd desc nulls last,
    forecasts.agent_name
