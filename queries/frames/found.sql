-- Findings of tests, of waste and of agents; budgets of this month
-- that are exceeded, or will be at the forecast's low end; workspaces that were not read with the
-- others, as a nightly batch was missed; and controls that differ.
with

newest as (
    select
        max(last_batch_at) as now,
        (max(last_batch_at) at time zone 'UTC')::date as today
    from marts.dim_workspaces
),

budgets as (
    select
        *,
        if(status = 'exceeded', actual_usd, forecast_usd) as amount_usd
    from marts.fct_budgets
    where status in ('exceeded', 'will_be_exceeded')
),

differences as (
    select
        workspace_id,
        control,
        check_name,
        any_value(finding_count) as finding_count,
        min(utc_date) as utc_date,
        max(abs(difference_usd)) as difference_usd
    from audit.control_findings
    where control is not null
    group by all
),

found as (
    from intermediate.int_findings
    union all by name
    from intermediate.int_waste_findings
    union all by name
    from intermediate.int_agent_findings
    union all by name
    select
        'budget' as kind,
        workspace_id,
        '(all)' as agent_id,
        name as subject,
        scope as detail,
        coalesce(exhausted_on, today)::timestamp at time zone 'UTC' as since,
        amount_usd::double as value,
        budget_usd::double as baseline,
        if(status = 'exceeded', 'usd', 'usd_expected') as unit,
        coalesce(forecast_usd, amount_usd) - budget_usd as cost_usd,
        false as is_chronic
    from budgets
    cross join newest
    where month = date_trunc('month', today)
    union all by name
    select
        'data' as kind,
        workspace_id,
        '(all)' as agent_id,
        workspace_id as subject,
        'stale' as detail,
        last_batch_at as since,
        (epoch_us(now) - epoch_us(last_batch_at)) / 3600000000 as value,
        'hours' as unit,
        false as is_chronic
    from marts.dim_workspaces
    cross join newest
    where now - last_batch_at > interval 26 hours
    union all by name
    select
        'data' as kind,
        workspace_id,
        '(all)' as agent_id,
        control as subject,
        'control' as detail,
        coalesce(min(utc_date)::timestamp at time zone 'UTC', any_value(now)) as since,
        sum(finding_count)::bigint as sample_count,
        max(difference_usd) as cost_usd,
        false as is_chronic
    from differences
    cross join newest
    group by all
)

select found.*, agent_name, agent_slug, workspaces.workspace_name, now
from found
cross join newest
left join marts.dim_agents using (workspace_id, agent_id)
left join marts.dim_workspaces as workspaces using (workspace_id)
