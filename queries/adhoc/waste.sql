-- What was spent for nothing, by agent, month and reason, up to the month of the last complete day?
-- Of that month and the two before, whole ones first. Each run is under one reason: run_limit (its
-- own), failed, cancelled, idle, retry (after a failed run of its session) or repeated_calls (of
-- one tool, after three errors). Between the two amounts lies what is not certain: of retries and
-- repeated calls any part, of idle runs those whose log was not read, and what unlisted runs cost
-- on days on which one failed, else on which one was cancelled.
select
    waste.workspace_name,
    waste.agent_name,
    waste.month,
    waste.reason,
    waste.listed_run_count,
    waste.wasted_usd,
    waste.wasted_high_usd,
    months.cost_usd as agent_cost_usd
from marts.fct_waste as waste
left join marts.fct_agent_months as months using (workspace_id, agent_id, month)
join marts.dim_workspaces as workspaces using (workspace_id)
where
    waste.month >= date_trunc('month', workspaces.last_complete_date) - interval 2 months
    and waste.month <= workspaces.last_complete_date
order by
    last_day(waste.month) > workspaces.last_complete_date,
    waste.month desc,
    waste.wasted_usd desc nulls last,
    waste.wasted_high_usd desc nulls last
