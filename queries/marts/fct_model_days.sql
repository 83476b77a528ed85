-- All metered usage by model, listed and unlisted runs and the platform's own, by the UTC day of
-- the model request; of it what listed runs used, by the UTC day of their creation, so that around
-- midnight the two may differ. Usage that names no agent is the line '(platform)'.
-- Grain: workspace, agent, UTC day, model and provider.
-- key: workspace_id, agent_id, utc_date, model, provider
-- narrow: utc_date
-- narrow fct_usage_hours: (hour at time zone 'UTC')::date
-- narrow run_costs: by run_id
-- column listed_cost_usd: Cost in US dollars that listed runs created on the day have of the model,
-- as far as their costs by model were read; null if those that were read have none, and some were
-- not.
with

-- Of runs whose costs by model were not read, the model is null.
listed as (
    select
        runs.workspace_id,
        runs.agent_id,
        runs.utc_date,
        costs.model,
        costs.provider,
        sum(costs.cost_usd) as listed_cost_usd
    from intermediate.int_metered_runs as runs
    left join staging.run_costs as costs
        on costs.workspace_id = runs.workspace_id
        and costs.run_id = runs.run_id
        and costs.is_current
    where costs.model is not null or coalesce(runs.cost_usd <> 0, true)
    group by all
),

unread as (
    from listed
    where model is null
),

figures as (
    select
        workspace_id,
        agent_id,
        (hour at time zone 'UTC')::date as utc_date,
        model,
        provider,
        true as has_usage,
        metered_cost_usd,
        tokens_in,
        tokens_out,
        request_count,
        error_count
    from marts.fct_usage_hours
    union all by name
    from listed
    where model is not null
),

-- Usage that the API has not metered is 0, and unknown where it refuses to say.
sums as (
    select
        figures.workspace_id,
        figures.agent_id,
        figures.utc_date,
        figures.model,
        figures.provider,
        if(bool_or(has_usage) or not coalesce(any_value(days.has_hours), true), null, 0)
            as without_usage,
        coalesce(sum(figures.metered_cost_usd), without_usage) as metered_cost_usd,
        coalesce(sum(columns('^tokens_|^(request|error)_count$')), without_usage)::bigint as '\0',
        coalesce(sum(figures.listed_cost_usd), if(count(unread.utc_date) = 0, 0, null))
        ::decimal(38, 10) as listed_cost_usd
    from figures
    left join unread using (workspace_id, agent_id, utc_date)
    left join intermediate.int_metered_days as days using (workspace_id, utc_date)
    group by all
)

select
    workspace_id,
    agents.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    coalesce(spans.owner, '(none)') as owner,
    coalesce(spans.cost_center, '(none)') as cost_center,
    utc_date,
    model,
    provider,
    metered_cost_usd,
    tokens_in,
    tokens_out,
    request_count,
    error_count,
    listed_cost_usd
from sums
left join marts.dim_agents as agents using (workspace_id, agent_id)
left join intermediate.int_owner_spans as spans
    on spans.workspace_id = sums.workspace_id
    and spans.agent_id = sums.agent_id
    and sums.utc_date between spans.first_date and spans.last_date
order by workspace_id, utc_date, agent_id, model, provider
