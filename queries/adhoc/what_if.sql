-- On which next cheaper model of each family would an agent's tokens of a UTC month have cost less?
-- Of the month of the last complete day and the one before, a whole one first. Prices alone are
-- compared, not quality, and another model takes other numbers of tokens: an estimate between two
-- ends. list_price_cost_usd is the same tokens at the model's list price, discounted_cost_usd that
-- less the agent's own effective discount, if it has one; caveat names what parts the agent's own
-- cost from list price: the API does not report cached tokens. Of models that the workspace uses;
-- for any other ask `select * from what_if('NAME')`: dim_prices has the names. price_known_since is
-- the day from which on the model's price is known; for days before, its first price stands.
select
    workspaces.workspace_name,
    agents.agent_name,
    costs.month,
    costs.metered_cost_usd,
    costs.model,
    costs.list_price_cost_usd,
    costs.discounted_cost_usd,
    costs.caveat,
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
    and costs.cheaper_rank = 1
order by
    last_day(costs.month) > workspaces.last_complete_date,
    costs.month desc,
    costs.metered_cost_usd desc,
    agents.agent_name,
    costs.list_price_cost_usd desc,
    costs.model
