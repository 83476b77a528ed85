-- A month as finance books it: listed runs, the runs that the lists lack, the bill, and what
-- changed after it was first published. Runs without an agent are a line of their own; so are the
-- platform's runs, with all billing that names no agent: the API gives that as one amount.
-- Runs and adjustments are those of days in the reporting time zone; gaps, bill and the platform
-- are known by UTC day only, and stand here under the same calendar month.
-- Grain: workspace, month and line.
-- key: workspace_id, month, line_type, agent_id
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (not read from its start) or closed.
-- column agent_id: Identifier of the agent; null for the lines that are no agent's.
-- column agent_name: Current name of the agent (else slug, else identifier), or of the line.
-- column run_count: Runs of any status, open ones included; the platform's own in its line.
-- column cost_usd: List-price cost of these runs in US dollars; unknown ones are in no sum.
-- column unknown_cost_count: Runs whose cost is unknown, so that the cost shown lacks them.
-- column missing_run_count: Runs counted by the API, never seen; null where it does not count them.
-- column gap_cost_usd: Cost in US dollars of the missing runs; unknown ones are in no sum.
-- column complete_cost_usd: Cost and gap cost in US dollars together; null where neither is known.
-- column billed_usd: What the platform bills for it, in US dollars; null where it is not told.
with

figures as (
    select
        workspace_id,
        month,
        if(agent_id is null, 'no_agent', 'agent') as line_type,
        agent_id,
        run_count,
        succeeded_count,
        failed_count,
        cancelled_count,
        open_count,
        unknown_cost_count,
        failure_rate,
        cost_usd,
        failed_cost_usd
    from marts.fct_agent_months
    union all by name
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        'platform' as line_type,
        coalesce(sum(run_count), 0)::bigint as run_count,
        coalesce(sum(run_count) filter (cost_usd is null), 0)::bigint as unknown_cost_count,
        sum(cost_usd) as cost_usd
    from marts.fct_platform_agent_days
    group by all
    union all by name
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        'agent' as line_type,
        agent_id,
        missing_run_count,
        if(missing_cost_usd is null, 1, 0) as unknown_gap_count,
        missing_cost_usd as gap_cost_usd
    from marts.fct_listing_gaps
    union all by name
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        if(agent_id is null, 'platform', 'agent') as line_type,
        agent_id,
        true as is_bill,
        cost_usd as metered_cost_usd,
        billed_usd,
        not_billed_usd
    from marts.fct_agent_billing_days
    union all by name
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        if(agent_id is null, 'no_agent', 'agent') as line_type,
        agent_id,
        current_run_count - previous_run_count as adjusted_run_count,
        current_cost_usd - previous_cost_usd as adjusted_cost_usd
    from marts.fct_adjustments
),

billing_spans as (
    select workspace_id, min(window_start) as first_date, max(window_end) as end_date
    from staging.stg_requests
    where source = 'agent_billing_days' and status = 200
    group by workspace_id
),

-- What stands in a line where nothing came: 0 where the API would have told, else null.
absences (line_type, no_outcomes, no_gaps, no_bill) as (
    values ('agent', 0, 0, 0), ('no_agent', 0, null, null), ('platform', null, 0, 0)
),

lines as (
    select
        workspace_id,
        month,
        line_type,
        agent_id,
        any_value(no_outcomes) as no_outcomes,
        any_value(no_gaps) as no_gaps,
        if(
            month < any_value(end_date) and month + interval 1 month > any_value(first_date),
            any_value(no_bill),
            null
        ) as no_bill,
        coalesce(sum(run_count), 0)::bigint as run_count,
        sum(succeeded_count)::bigint as succeeded_count,
        sum(failed_count)::bigint as failed_count,
        sum(cancelled_count)::bigint as cancelled_count,
        sum(open_count)::bigint as open_count,
        coalesce(sum(unknown_cost_count), 0)::bigint as unknown_cost_count,
        max(failure_rate) as failure_rate,
        if(count(run_count) = 0, 0, sum(cost_usd)) as cost_usd,
        if(count(succeeded_count) = 0, any_value(no_outcomes), sum(failed_cost_usd))
            as failed_cost_usd,
        sum(missing_run_count)::bigint as missing_run_count,
        sum(unknown_gap_count)::bigint as unknown_gap_count,
        if(count(missing_run_count) = 0, any_value(no_gaps), sum(gap_cost_usd)) as gap_cost_usd,
        count(is_bill) = 0 as is_not_in_bill,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(not_billed_usd) as not_billed_usd,
        sum(adjusted_run_count)::bigint as adjusted_run_count,
        sum(adjusted_cost_usd) as adjusted_cost_usd
    from figures
    join absences using (line_type)
    left join billing_spans using (workspace_id)
    group by workspace_id, month, line_type, agent_id
)

select
    lines.workspace_id,
    workspaces.workspace_name,
    lines.month,
    coalesce(months.status, 'incomplete') as status,
    lines.line_type,
    lines.agent_id,
    agents.agent_slug,
    case lines.line_type
        when 'agent' then agents.agent_name
        when 'no_agent' then 'No agent'
        else 'Platform, and usage without an agent'
    end as agent_name,
    lines.run_count,
    coalesce(lines.succeeded_count, no_outcomes) as succeeded_count,
    coalesce(lines.failed_count, no_outcomes) as failed_count,
    coalesce(lines.cancelled_count, no_outcomes) as cancelled_count,
    coalesce(lines.open_count, no_outcomes) as open_count,
    lines.failure_rate,
    lines.cost_usd::decimal(38, 10) as cost_usd,
    lines.unknown_cost_count,
    lines.failed_cost_usd::decimal(38, 10) as failed_cost_usd,
    coalesce(lines.missing_run_count, no_gaps) as missing_run_count,
    lines.gap_cost_usd::decimal(38, 10) as gap_cost_usd,
    coalesce(lines.unknown_gap_count, no_gaps) as unknown_gap_count,
    coalesce(
        lines.cost_usd + lines.gap_cost_usd,
        if(lines.run_count > 0, lines.cost_usd, null),
        if(lines.missing_run_count > 0, lines.gap_cost_usd, null)
    )::decimal(38, 10) as complete_cost_usd,
    if(is_not_in_bill, no_bill, lines.metered_cost_usd)::decimal(38, 10) as metered_cost_usd,
    if(is_not_in_bill, no_bill, lines.billed_usd)::decimal(38, 10) as billed_usd,
    if(is_not_in_bill, no_bill, lines.not_billed_usd)::decimal(38, 10) as not_billed_usd,
    coalesce(lines.adjusted_run_count, no_outcomes) as adjusted_run_count,
    coalesce(lines.adjusted_cost_usd, no_outcomes)::decimal(38, 10) as adjusted_cost_usd
from lines
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_months as months using (workspace_id, month)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspaces.workspace_name, lines.workspace_id, lines.month, lines.line_type, agent_name
