-- All metered usage of a month by agent and model, whoever provides it, beside what the same tokens
-- cost at list prices. What is below them is the effective discount: what caching saved, and any
-- price below the list. It takes `tokens_in` to contain tokens that were read from a cache, which
-- the API does not tell apart. Days and months are of UTC.
-- Grain: workspace, agent, model and UTC month.
-- key: workspace_id, agent_id, model, month
-- ref agent_id: dim_agents
-- column month: First day of the UTC month of the model requests.
-- column effective_discount: 1 - metered_cost_usd / list_price_cost_usd, below 0 where the model
-- cost more than its list price; null without a price, and of no cost.
-- column price_known_since: First UTC day of the oldest price that was used for an earlier day;
-- null if each day has a price of its own.
with

costs as (
    select
        usage.workspace_id,
        usage.agent_id,
        usage.model,
        date_trunc('month', usage.utc_date)::date as month,
        usage.utc_date,
        sum(usage.metered_cost_usd) as cost_usd,
        count(usage.metered_cost_usd) = count(*) as knows_cost,
        count(usage.tokens_in + usage.tokens_out) = count(*) as knows_tokens,
        sum(usage.tokens_in)::bigint as tokens_in,
        sum(usage.tokens_out)::bigint as tokens_out
    from marts.fct_model_days as usage
    where coalesce(usage.metered_cost_usd <> 0 or usage.tokens_in + usage.tokens_out > 0, true)
    group by all
)

select
    costs.workspace_id,
    any_value(agents.workspace_name) as workspace_name,
    costs.agent_id,
    any_value(agents.agent_slug) as agent_slug,
    any_value(agents.agent_name) as agent_name,
    any_value(agents.line_type) as line_type,
    costs.model,
    costs.month,
    if(bool_and(knows_cost), sum(cost_usd), null)::decimal(38, 10) as metered_cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    if(
        bool_and(knows_tokens and prices.model is not null),
        sum(list_price_cost(
            tokens_in, tokens_out, input_usd_per_million_tokens, output_usd_per_million_tokens
        )),
        null
    )::decimal(38, 10) as list_price_cost_usd,
    1 - metered_cost_usd::double / nullif(list_price_cost_usd, 0)::double as effective_discount,
    min(prices.valid_from) filter (costs.utc_date < prices.valid_from) as price_known_since
from costs
left join marts.dim_prices as prices
    on prices.model = costs.model
    and (costs.utc_date >= prices.valid_from or prices.is_first)
    and costs.utc_date < coalesce(prices.valid_until, 'infinity')
left join marts.dim_agents as agents
    on agents.workspace_id = costs.workspace_id and agents.agent_id = costs.agent_id
group by costs.workspace_id, costs.agent_id, costs.model, costs.month
order by costs.workspace_id, costs.agent_id, costs.month, costs.model
