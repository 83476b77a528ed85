-- All runs by month, of every line, of each workspace ('(all)') and of the site ('(all)', '(all)'),
-- with what is metered and billed in the UTC month. Grain: entity and month.
-- key: workspace_id, agent_id, month
-- column month: First day of the month in the reporting time zone.
-- column state: complete; provisional, where the month is not over; incomplete, where not read.
-- column first_date: First day with figures.
-- column last_date: Last day with figures.
-- column run_cost_usd: Cost in US dollars without the platform's own.
-- column failed_cost_more_usd: US dollars that failed runs may have cost beyond failed_cost_usd.
-- column failed_cost_open_count: Days with failed runs of a cost that nothing bounds.
with

days as (
    from reports.rpt_days
    union all by name
    select *, '(all)' as agent_id
    from reports.rpt_workspace_days
    union all by name
    select * replace ('(all)' as workspace_id), '(all)' as agent_id
    from reports.rpt_workspace_days
),

figures as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', date)::date as month,
        min(date) as first_date,
        max(date) as last_date,
        sum(run_count)::bigint as run_count,
        sum(succeeded_count)::bigint as succeeded_count,
        sum(failed_count)::bigint as failed_count,
        sum(finished_count)::bigint as finished_count,
        sum(cancelled_count)::bigint as cancelled_count,
        sum(open_count)::bigint as open_count,
        sum(listed_run_count)::bigint as listed_run_count,
        sum(unlisted_run_count)::bigint as unlisted_run_count,
        sum(unknown_cost_count)::bigint as unknown_cost_count,
        sum(no_usage_count)::bigint as no_usage_count,
        sum(cost_usd) as cost_usd,
        sum(run_cost_usd) as run_cost_usd,
        sum(platform_cost_usd) as platform_cost_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(failed_cost_usd) as failed_cost_usd,
        sum(failed_cost_more_usd) as failed_cost_more_usd,
        sum(failed_cost_open_count)::bigint as failed_cost_open_count
    from days
    group by workspace_id, agent_id, date_trunc('month', date)
),

bills as (
    select
        workspace_id,
        agent_id,
        month,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd
    from marts.fct_agent_months
    union all
    select
        workspace_id,
        '(all)' as agent_id,
        month,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd
    from marts.fct_workspace_months
    union all
    select
        '(all)',
        '(all)',
        month,
        sum(metered_cost_usd),
        sum(billed_usd),
        sum(surcharge_usd),
        sum(own_key_usd)
    from marts.fct_workspace_months
    group by month
),

states as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        case
            when bool_or(state = 'incomplete') then 'incomplete'
            when bool_or(state = 'provisional') then 'provisional'
            else 'complete'
        end as state
    from reports.rpt_dates
    group by all
)

select
    figures.*,
    bills.metered_cost_usd,
    bills.billed_usd,
    bills.surcharge_usd,
    bills.own_key_usd,
    coalesce(states.state, 'incomplete') as state
from figures
left join bills using (workspace_id, agent_id, month)
left join states using (workspace_id, month)
order by workspace_id, agent_id, month
