-- On which three models would each agent's tokens of a UTC month have cost least?
-- Of the month of the last complete day and the one before, a whole one first. An estimate between
-- two ends: list_price_cost_usd is the same tokens at the model's list price, discounted_cost_usd
-- that less the agent's own effective discount, if it has one. Another model takes other numbers of
-- tokens; quality is not compared. Of models that the workspace uses, and cheaper ones alone; for
-- any other ask `select * from what_if('NAME')`: dim_prices has the names. price_known_since is the
-- day from which on the model's price is known; for days before, its first price stands.
select
    workspaces.workspace_name,
    agents.agent_name,
    costs.month,
    costs.cost_usd,
    costs.model,
    costs.list_price_cost_usd,
    costs.discounted_cost_usd,
    prices.valid_from as price_known_since
from marts.what_if_by_model() as costs
join marts.dim_workspaces as workspaces using (workspace_id)
join marts.dim_agents as agents using (workspace_id, agent_id)
join marts.dim_prices as prices on prices.model = costs.model and prices.is_first
where
    agents.line_type = 'agent'
    and costs.month
    between date_trunc('month', workspaces.last_complete_date) - interval 1 month
    and workspaces.last_complete_date
    and costs.cheaper_rank <= 3
order by
    last_day(costs.month) > workspaces.last_complete_date,
    costs.month desc,
    costs.cost_usd desc,
    agents.agent_name,
    costs.list_price_cost_usd,
    costs.model
