-- All metered usage of a month by agent and model, whoever provides it, next to the cost of the
-- same tokens at list prices. The difference does not measure what caching saves: the API does not
-- report cached tokens, and `tokens_in` counts them in full. Days and months are of UTC.
-- Grain: workspace, agent, model and UTC month.
-- key: workspace_id, agent_id, model, month
-- ref agent_id: dim_agents
-- column month: First day of the UTC month of the model requests.
-- column effective_discount: 1 - metered_cost_usd / list_price_cost_usd, below 0 where the model
-- cost more than its list price; null without a price, and of no cost.
-- column caveat: Why the cost differs from list price: a price step that a finding dates; else an
-- unknown fee if it is above, caching or a discount if it is below; null if it does not differ.
-- column price_known_since: First UTC day of the oldest price that was used for an earlier day;
-- null if each day has a price of its own.
with

costs as (
    select
        usage.workspace_id,
        usage.agent_id,
        usage.model,
        usage.provider,
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
),

steps as (
    select
        workspace_id,
        subject as model,
        detail as provider,
        min((since at time zone 'UTC')::date) as step_date
    from intermediate.int_findings
    where kind = 'price_step'
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
    case
        when min(step_date) is not null then concat('price step on ', min(step_date))
        when metered_cost_usd > list_price_cost_usd then 'unknown fee'
        when metered_cost_usd < list_price_cost_usd then 'caching or discount'
    end as caveat,
    min(prices.valid_from) filter (costs.utc_date < prices.valid_from) as price_known_since
from costs
left join marts.dim_prices as prices
    on prices.model = costs.model
    and (costs.utc_date >= prices.valid_from or prices.is_first)
    and costs.utc_date < coalesce(prices.valid_until, 'infinity')
left join steps
    on steps.workspace_id = costs.workspace_id
    and steps.model = costs.model
    and steps.provider = costs.provider
    and costs.utc_date >= step_date
left join marts.dim_agents as agents
    on agents.workspace_id = costs.workspace_id and agents.agent_id = costs.agent_id
group by costs.workspace_id, costs.agent_id, costs.model, costs.month
order by costs.workspace_id, costs.agent_id, costs.month, costs.model
