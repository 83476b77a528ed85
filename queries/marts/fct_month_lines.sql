-- Lines of the books: a line for each agent, owner and cost center of each month, closed or not.
-- Those of a closed month are frozen, as in fct_closed_lines; those of any other may still change.
-- Amounts are those of the UTC days of the meter (fct_charges); counts of runs, their cost and
-- failed cost are those of fct_agent_owner_months, of runs created in the month.
-- Grain: month, workspace, line, owner and cost center.
-- key: month, workspace_id, agent_id, owner, cost_center
-- ref workspace_id: dim_workspaces
-- column month: First day of the calendar month.
-- column revision: Number of the close that froze the line, from 1; null while it is not closed.
-- column cost_usd: Metered cost in US dollars at the provider's list price.
-- column run_cost_usd: Cost in US dollars of the runs created in the month.
-- column billed_usd: Bill in US dollars, as far as it is known; null if nothing of it is.
-- column tokens_in: Input tokens of the metered requests.
-- column tokens_out: Output tokens of the metered requests.
with

charges as (
    select
        date_trunc('month', utc_date)::date as month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        true as is_charged,
        sum(columns('_usd$')),
        sum(columns('^tokens_'))::bigint
    from marts.fct_charges
    group by all
),

runs as (
    select * rename (cost_usd as run_cost_usd)
    from marts.fct_agent_owner_months
),

lines as (
    select
        month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        if(months.has_agent_bill, 0, null) as without_charge,
        if(charges.is_charged, charges.cost_usd, without_charge) as cost_usd,
        if(charges.is_charged, charges.billed_usd, without_charge) as billed_usd,
        if(charges.is_charged, charges.surcharge_usd, without_charge) as surcharge_usd,
        if(charges.is_charged, charges.own_key_usd, without_charge) as own_key_usd,
        if(charges.is_charged, charges.tokens_in, without_charge) as tokens_in,
        if(charges.is_charged, charges.tokens_out, without_charge) as tokens_out,
        coalesce(runs.run_count, 0) as run_count,
        coalesce(runs.succeeded_count, 0) as succeeded_count,
        coalesce(runs.failed_count, 0) as failed_count,
        coalesce(runs.cancelled_count, 0) as cancelled_count,
        coalesce(runs.listed_run_count, 0) as listed_run_count,
        if(runs.run_count is null, 0, runs.run_cost_usd) as run_cost_usd,
        if(runs.run_count is null, 0, runs.failed_cost_usd) as failed_cost_usd
    from charges
    full join runs using (month, workspace_id, agent_id, owner, cost_center)
    left join marts.dim_months as months using (month, workspace_id)
    where month not in (select month from finance.closings where state = 'closed')
)

select
    month,
    null::integer as revision,
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    lines.owner,
    lines.cost_center,
    cost_usd::decimal(38, 10) as cost_usd,
    billed_usd::decimal(38, 10) as billed_usd,
    surcharge_usd::decimal(38, 10) as surcharge_usd,
    own_key_usd::decimal(38, 10) as own_key_usd,
    tokens_in::bigint as tokens_in,
    tokens_out::bigint as tokens_out,
    run_count::bigint as run_count,
    succeeded_count::bigint as succeeded_count,
    failed_count::bigint as failed_count,
    cancelled_count::bigint as cancelled_count,
    listed_run_count::bigint as listed_run_count,
    run_cost_usd::decimal(38, 10) as run_cost_usd,
    failed_cost_usd::decimal(38, 10) as failed_cost_usd
from lines
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
union all by name
select *
from marts.fct_closed_lines
order by month, workspace_id, agent_id, owner, cost_center
