-- What the metered tokens of each agent's UTC month would have cost on each model of dim_prices: at
-- its list price, and less the agent's own effective discount of the month, if it has one: what
-- raised its cost above list, as a fee or a price step of its model, raises no other model's, and
-- makes none cheaper. caveat names what parts the agent's own cost from list price. An estimate:
-- another model takes other numbers of tokens. What lacks a price, or tokens, is null. cheaper_rank
-- numbers, of each family, the models that an agent's workspace uses and that would have cost less,
-- the next one below first.
with

-- Prices change on few days: between two of them, a month's tokens are priced as one.
price_changes as (
    select distinct unnest(['-infinity'::date, valid_from, valid_until]) as priced_from
    from marts.dim_prices
),

tokens as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', utc_date)::date as month,
        priced_from,
        if(count(tokens_in) = count(*), sum(tokens_in), null)::bigint as tokens_in,
        if(count(tokens_out) = count(*), sum(tokens_out), null)::bigint as tokens_out
    from marts.fct_model_days
    asof join price_changes on utc_date >= priced_from
    where coalesce(metered_cost_usd <> 0 or tokens_in + tokens_out > 0, true)
    group by all
),

priced as (
    select
        tokens.workspace_id,
        tokens.agent_id,
        tokens.month,
        prices.model,
        if(
            count(tokens.tokens_in + tokens.tokens_out) = count(*),
            sum(marts.list_price_cost(
                tokens.tokens_in,
                tokens.tokens_out,
                prices.input_usd_per_million_tokens,
                prices.output_usd_per_million_tokens
            )),
            null
        )::decimal(38, 10) as list_price_cost_usd
    from tokens
    join marts.dim_prices as prices
        on (priced_from >= prices.valid_from or prices.is_first)
        and priced_from < coalesce(prices.valid_until, 'infinity')
    group by all
),

own as (
    select
        workspace_id,
        agent_id,
        month,
        if(count(metered_cost_usd) = count(*), sum(metered_cost_usd), null)::decimal(38, 10)
            as metered_cost_usd,
        if(count(list_price_cost_usd) = count(*), sum(list_price_cost_usd), null)
            as own_list_price_cost_usd,
        string_agg(distinct caveat, ', ' order by caveat) as caveat
    from marts.fct_model_months
    group by all
),

compared as (
    select
        own.workspace_id,
        own.agent_id,
        own.month,
        priced.model,
        own.metered_cost_usd,
        priced.list_price_cost_usd,
        (
            priced.list_price_cost_usd::double
            * least(
                1, own.metered_cost_usd::double / nullif(own.own_list_price_cost_usd, 0)::double
            )
        )::decimal(38, 10) as discounted_cost_usd,
        own.caveat,
        used.family,
        used.model is not null
        and priced.list_price_cost_usd < own.metered_cost_usd
        and coalesce(priced.list_price_cost_usd < own.own_list_price_cost_usd, true) as is_cheaper
    from own
    join priced using (workspace_id, agent_id, month)
    left join (select distinct workspace_id, model, family from marts.dim_models) as used
        on used.workspace_id = own.workspace_id and used.model = priced.model
)

select
    * exclude (family, is_cheaper),
    if(
        is_cheaper,
        row_number() over (
            partition by workspace_id, agent_id, month, family, is_cheaper
            order by list_price_cost_usd desc, model
        ),
        null
    ) as cheaper_rank
from compared
