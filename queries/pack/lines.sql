-- Lines of a month for people: of each workspace the agent with the highest bill first, then runs
-- without an agent, and the platform. A name that two agents or workspaces share has an identifier.
select
    strftime(usage_month, '%Y-%m') as usage_month,
    if(
        count(distinct workspace_id) over (partition by workspace_name) > 1,
        workspace_name || ' (' || workspace_id || ')',
        workspace_name
    ) as workspace_name,
    case
        when count(distinct agent_id) over (partition by workspace_id, agent_name) = 1
            then agent_name
        when count(distinct agent_id) over (partition by workspace_id, agent_name, agent_slug) = 1
            then agent_name || ' (' || coalesce(agent_slug, agent_id) || ')'
        else agent_name || ' (' || agent_id || ')'
    end as agent_name,
    owner,
    cost_center,
    billed_usd,
    surcharge_usd,
    own_key_usd,
    metered_cost_usd,
    run_count,
    succeeded_count,
    failed_count,
    cancelled_count,
    -- Runs that are in none of the counts are of unknown outcome.
    marts.failure_rate(
        failed_count,
        succeeded_count,
        run_count - succeeded_count - failed_count - cancelled_count
        - if(revision is null, coalesce(open_count, 0), 0)
    ) as failure_rate,
    failed_cost_usd,
    failed_cost_high_usd,
    cost_usd,
    unknown_cost_count,
    unknown_bill_count,
    listed_run_count,
    tokens_in,
    tokens_out,
    revision,
    line_type,
    agent_slug,
    workspace_id,
    agent_id
from marts.fct_month_lines as lines
left join (
    select
        date_trunc('month', date)::date as usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        sum(open_count)::bigint as open_count
    from marts.fct_agent_days
    group by all
) as days using (usage_month, workspace_id, agent_id, owner, cost_center)
where usage_month = $month::date
order by
    workspace_name,
    workspace_id,
    list_position(['agent', 'no_agent', 'platform'], line_type),
    billed_usd desc,
    metered_cost_usd desc,
    agent_name,
    agent_id,
    owner,
    cost_center
