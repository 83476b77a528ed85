-- Lines of the month, as closed: amounts of the meter, and beside them the runs created in it.
with

charges as (
    select
        workspace_id,
        agent_id,
        owner,
        cost_center,
        sum(cost_usd) as cost_usd,
        sum(billed_usd) as billed_usd,
        sum(surcharge_usd) as surcharge_usd,
        sum(own_key_usd) as own_key_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out
    from marts.fct_charges
    where utc_date between $month::date and last_day($month::date)
    group by all
),

runs as (
    select
        workspace_id,
        agent_id,
        owner,
        cost_center,
        run_count,
        succeeded_count,
        failed_count,
        cancelled_count,
        listed_run_count,
        cost_usd as run_cost_usd,
        failed_cost_usd
    from marts.fct_agent_owner_months
    where month = $month::date
)

select
    $month::date as month,
    $revision::integer as revision,
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    owner,
    cost_center,
    coalesce(charges.cost_usd, 0)::decimal(38, 10) as cost_usd,
    coalesce(charges.billed_usd, 0)::decimal(38, 10) as billed_usd,
    coalesce(charges.surcharge_usd, 0)::decimal(38, 10) as surcharge_usd,
    coalesce(charges.own_key_usd, 0)::decimal(38, 10) as own_key_usd,
    coalesce(charges.tokens_in, 0)::bigint as tokens_in,
    coalesce(charges.tokens_out, 0)::bigint as tokens_out,
    coalesce(runs.run_count, 0)::bigint as run_count,
    coalesce(runs.succeeded_count, 0)::bigint as succeeded_count,
    coalesce(runs.failed_count, 0)::bigint as failed_count,
    coalesce(runs.cancelled_count, 0)::bigint as cancelled_count,
    coalesce(runs.listed_run_count, 0)::bigint as listed_run_count,
    if(runs.run_count is null, 0, runs.run_cost_usd)::decimal(38, 10) as run_cost_usd,
    if(runs.run_count is null, 0, runs.failed_cost_usd)::decimal(38, 10) as failed_cost_usd
from charges
full join runs using (workspace_id, agent_id, owner, cost_center)
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, agent_id, owner, cost_center
