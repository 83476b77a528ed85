-- Lines of the books: a line for each agent, owner and cost center of each month, closed or not.
-- Those of a closed month are frozen; those of any other may still change.
-- Amounts are those of the UTC days of the meter (fct_charges); counts of runs, their cost and
-- failed cost are of runs created in the month. Of a closed line, fct_period_adjustments adjusts
-- metered cost, bill, surcharge, own-key cost, run_count and listed_run_count alone.
-- Grain: usage month, workspace, line, owner and cost center.
-- key: usage_month, workspace_id, agent_id, owner, cost_center
-- ref workspace_id: dim_workspaces
-- column usage_month: First day of the calendar month.
-- column revision: Number of the close that froze the line, from 1; null while it is not closed.
-- column cost_usd: Cost in US dollars of the runs created in the month.
-- column billed_usd: Bill in US dollars, as far as it is known; null if nothing of it is.
-- column unknown_bill_count: UTC days whose bill or metered cost was not known, when it was closed.
-- Where it is 0, metered cost + surcharge - own-key cost = billed.
-- column tokens_in: Input tokens of the metered requests.
-- column tokens_out: Output tokens of the metered requests.
with

charges as (
    select
        date_trunc('month', utc_date)::date as usage_month,
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
    select * rename (month as usage_month)
    from intermediate.int_agent_owner_months
),

lines as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        if(months.has_agent_bill, 0, null) as without_charge,
        if(is_charged, columns(charges.* exclude (
            usage_month, workspace_id, agent_id, owner, cost_center, is_charged
        )), without_charge),
        coalesce(
            columns('^((listed_)?run|succeeded|failed|cancelled|unknown_cost|unknown_bill)_count$'),
            0
        ),
        if(runs.run_count is null, 0, columns('^(cost_usd|failed_cost(_high)?_usd)$'))
    from charges
    full join runs using (usage_month, workspace_id, agent_id, owner, cost_center)
    left join (
        select month as usage_month, workspace_id, has_agent_bill
        from marts.dim_months
    ) as months using (usage_month, workspace_id)
    where usage_month not in (select month from finance.closings where status = 'closed')
),

unknown_bills as (
    select
        usage_month,
        workspace_id,
        agent_id,
        owner,
        cost_center,
        count(distinct utc_date) as unknown_bill_count
    from finance.closed_charges
    where metered_cost_usd is null or billed_usd is null
    group by all
)

select
    usage_month,
    null::integer as revision,
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    lines.* exclude (usage_month, workspace_id, agent_id, without_charge)
from lines
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
union all by name
select * replace (coalesce(unknown_bill_count, 0) as unknown_bill_count)
from finance.closed_lines
left join unknown_bills using (usage_month, workspace_id, agent_id, owner, cost_center)
order by usage_month, workspace_id, agent_id, owner, cost_center
