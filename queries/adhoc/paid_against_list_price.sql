-- What is paid against list price, by agent, model and UTC month, to the last complete day's month?
-- The difference does not measure what caching saves: the API does not report cached tokens, and
-- tokens_in counts them in full. caveat names what the difference contains. A price step or an
-- unknown fee raises the cost; caching or a discount lowers it. List values are null without a
-- price in dim_prices; price_known_since is the day from which the price of earlier days is known.
-- Whole months come first.
select
    workspaces.workspace_name,
    agent_name,
    model,
    month,
    tokens_in,
    tokens_out,
    metered_cost_usd,
    list_price_cost_usd,
    metered_cost_usd - list_price_cost_usd as difference_usd,
    round(100 * (1 - effective_discount), 1) as percent_of_list_price,
    caveat,
    price_known_since
from marts.fct_model_months
join marts.dim_workspaces as workspaces using (workspace_id)
where month <= workspaces.last_complete_date
order by
    last_day(month) > workspaces.last_complete_date,
    month desc,
    metered_cost_usd desc nulls last,
    workspaces.workspace_name,
    agent_name,
    model
