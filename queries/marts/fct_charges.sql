-- Charges: metered cost, what Levain bills for it, and what a provider does, as fine as the API can
-- tell them apart. The rows of an agent's day add up to the API's bill by agent to the last digit;
-- models and providers are those of the hourly meter, and '(unknown)' is what it lacks. The API
-- bills no model: surcharge is split by cost, own-key cost of a provider over its models by cost,
-- each rounded down at ten decimals, and the rest is on the row of the largest cost.
-- In every row, metered cost + surcharge - own-key cost = billed. A day whose bill has no cost is
-- one row.
-- Grain: workspace, UTC day, agent, provider and model.
-- key: workspace_id, utc_date, agent_id, provider, model
-- narrow: utc_date
-- narrow fct_usage_hours: (hour at time zone 'UTC')::date
-- ref agent_id: dim_agents
-- column account: Account of the owner by finance/owners.csv; null without one.
with

bills as (
    select
        workspace_id,
        utc_date,
        agent_id,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd,
        metered_cost_usd is null as is_whole
    from intermediate.int_agent_billing_days
),

usage as (
    select
        hours.workspace_id,
        bills.utc_date,
        hours.agent_id,
        if(bills.is_whole, '(unknown)', hours.provider) as provider,
        if(bills.is_whole, '(unknown)', hours.model) as model,
        if(
            any_value(bills.is_whole),
            null,
            coalesce(sum(hours.metered_cost_usd), 0)
        ) as metered_cost_usd,
        coalesce(sum(hours.tokens_in), 0)::bigint as tokens_in,
        coalesce(sum(hours.tokens_out), 0)::bigint as tokens_out,
        coalesce(sum(hours.request_count), 0)::bigint as request_count
    from marts.fct_usage_hours as hours
    join bills
        on bills.workspace_id = hours.workspace_id
        and bills.utc_date = (hours.hour at time zone 'UTC')::date
        and bills.agent_id = hours.agent_id
    group by all
),

cells as (
    select
        workspace_id,
        utc_date,
        agent_id,
        provider,
        model,
        sum(metered_cost_usd)::decimal(38, 10) as metered_cost_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(request_count)::bigint as request_count
    from (
        from usage
        union all by name
        select
            bills.workspace_id,
            bills.utc_date,
            bills.agent_id,
            '(unknown)' as provider,
            '(unknown)' as model,
            bills.metered_cost_usd - coalesce(sum(usage.metered_cost_usd), 0) as metered_cost_usd,
            0 as tokens_in,
            0 as tokens_out,
            0 as request_count
        from bills
        left join usage using (workspace_id, utc_date, agent_id)
        group by bills.workspace_id, bills.utc_date, bills.agent_id, bills.metered_cost_usd
        having
            bills.metered_cost_usd <> coalesce(sum(usage.metered_cost_usd), 0)
            or count(usage.model) = 0
    )
    group by all
),

own_keys as (
    select
        workspace_id,
        utc_date,
        agent_id,
        if(bills.is_whole, '(unknown)', days.provider) as provider,
        sum(days.own_key_usd) as own_key_usd
    from intermediate.int_own_key_days as days
    join bills using (workspace_id, utc_date, agent_id)
    group by all
),

-- Amounts in units of ten decimals: products and quotients of integers are exact. A surcharge
-- that is unknown remains so.
shares as (
    select
        cells.*,
        bills.billed_usd as whole_billed_usd,
        (bills.surcharge_usd * 10000000000)::hugeint as surcharge,
        (coalesce(own_keys.own_key_usd, 0) * 10000000000)::hugeint as own_key,
        (coalesce(cells.metered_cost_usd, 0) * 10000000000)::hugeint as cost,
        sum(cost) over agent_day as cost_of_day,
        sum(cost) over provider_day as cost_of_provider,
        row_number() over (agent_day order by cost desc, provider, model) = 1 as is_largest_of_day,
        row_number() over (provider_day order by cost desc, model) = 1 as is_largest_of_provider,
        if(cost_of_day = 0, surcharge * 0, surcharge * cost // cost_of_day) as surcharge_share,
        if(cost_of_provider = 0, 0, own_key * cost // cost_of_provider) as own_key_share
    from cells
    join bills using (workspace_id, utc_date, agent_id)
    left join own_keys using (workspace_id, utc_date, agent_id, provider)
    window
        agent_day as (partition by cells.workspace_id, cells.utc_date, cells.agent_id),
        provider_day as (
            partition by cells.workspace_id, cells.utc_date, cells.agent_id, cells.provider
        )
),

split as (
    select
        * exclude (surcharge, own_key),
        surcharge_share
        + if(is_largest_of_day, surcharge - sum(surcharge_share) over agent_day, 0) as surcharge,
        own_key_share
        + if(is_largest_of_provider, own_key - sum(own_key_share) over provider_day, 0) as own_key
    from shares
    window
        agent_day as (partition by workspace_id, utc_date, agent_id),
        provider_day as (partition by workspace_id, utc_date, agent_id, provider)
),

amounts as (
    select
        *,
        (surcharge::decimal(28, 0) * 0.0000000001)::decimal(38, 10) as surcharge_usd,
        (own_key::decimal(28, 0) * 0.0000000001)::decimal(38, 10) as own_key_usd
    from split
)

select
    amounts.workspace_id,
    agents.workspace_name,
    amounts.utc_date,
    amounts.agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    coalesce(spans.owner, '(none)') as owner,
    coalesce(spans.cost_center, '(none)') as cost_center,
    spans.account,
    amounts.provider,
    amounts.model,
    amounts.metered_cost_usd,
    coalesce(
        amounts.metered_cost_usd + amounts.surcharge_usd - amounts.own_key_usd,
        amounts.whole_billed_usd
    )::decimal(38, 10) as billed_usd,
    amounts.surcharge_usd,
    amounts.own_key_usd,
    amounts.tokens_in,
    amounts.tokens_out,
    amounts.request_count
from amounts
left join marts.dim_agents as agents using (workspace_id, agent_id)
left join intermediate.int_owner_spans as spans
    on spans.workspace_id = amounts.workspace_id
    and spans.agent_id = amounts.agent_id
    and amounts.utc_date between spans.first_date and spans.last_date
order by
    amounts.workspace_id, amounts.utc_date, amounts.agent_id, amounts.provider, amounts.model
