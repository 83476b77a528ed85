-- What does caching save, by agent, model and UTC month, up to the month of the last complete day?
-- The API tells no cached tokens apart. The discount is 1 - cost / (tokens x list price): caching,
-- and any other price below the list; it takes tokens_in to contain the cached ones. Without a
-- price in dim_prices there is none; price_known_since says from when on a price of earlier days is
-- known. Both are below 0 where cost is above list: by a fee, or a price step that the list lacks.
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
    list_price_cost_usd - metered_cost_usd as below_list_usd,
    round(100 * effective_discount, 1) as discount_percent,
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
