-- What is forecast, each with its dates and amounts in order, an unknown amount is null: the cost
-- of lines and of workspaces as a whole (scope 'line') on each date in the reporting time zone, and
-- the charges of this month's budgets on each UTC day that was read. Those of a budget count after
-- the last month with a day of unknown charges.
with

sums as (
    select
        workspace_id,
        name,
        date,
        sum(cost_usd) as cost_usd,
        bool_and(
            cost_usd is not null and unlisted_cost_usd is not null and unknown_platform_count = 0
        ) as is_known
    from (select *, unnest([agent_id, '(all)']) as name from marts.fct_agent_days)
    group by all
),

lines as (
    select workspace_id, agent_id as name
    from marts.dim_agents
    union all
    select workspace_id, '(all)' as name
    from marts.dim_workspaces
),

days as (
    select
        scope, name, workspace_id,
        unnest(generate_series(first_date, start - 1, interval 1 day))::date as utc_date
    from intermediate.int_budgets
    where month <= today and today < next_month
),

unknown as (
    select scope, name, workspace_id, date_trunc('month', max(utc_date)) as month
    from intermediate.int_budget_days
    where actual_usd is null
    group by all
),

amounts as (
    select
        'line' as scope, name, workspace_id,
        date,
        if(is_complete and coalesce(is_known, true), coalesce(cost_usd, 0), null) as amount_usd
    from lines
    join marts.dim_dates using (workspace_id)
    left join sums using (workspace_id, name, date)
    union all
    select
        scope, name, workspace_id,
        utc_date as date,
        if(date_trunc('month', utc_date) <= unknown.month, null, coalesce(actual_usd, 0))
            as amount_usd
    from days
    left join intermediate.int_budget_days using (scope, name, workspace_id, utc_date)
    left join unknown using (scope, name, workspace_id)
)

select
    scope, name, workspace_id,
    list(date order by date) as dates,
    list(amount_usd::decimal(38, 10) order by date) as amounts
from amounts
group by all
