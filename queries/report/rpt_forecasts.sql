-- Cost at which the current month will end, of every line, of each workspace ('(all)') and of the
-- site ('(all)', '(all)'), whose range is the sum of those of its workspaces, so that it is on the
-- safe side; the site has one only where every workspace has. Grain: entity.
-- key: workspace_id, agent_id
with

current_forecasts as (
    select forecasts.*
    from marts.fct_forecasts as forecasts
    join reports.rpt_periods as periods
        on periods.workspace_id = forecasts.workspace_id
        and periods.agent_id = forecasts.agent_id
        and periods.period = 'month'
        and periods.first_date = forecasts.month
)

select
    workspace_id,
    agent_id,
    month,
    cost_to_date_usd,
    low_usd,
    expected_usd,
    high_usd,
    days_left,
    basis_day_count,
    tested_month_count,
    hit_month_count
from current_forecasts
union all
select
    '(all)',
    '(all)',
    month,
    sum(cost_to_date_usd),
    sum(low_usd),
    sum(expected_usd),
    sum(high_usd),
    max(days_left),
    min(basis_day_count),
    0,
    0
from current_forecasts
where agent_id = '(all)'
group by month
having count(*) = (select count(*) from marts.dim_workspaces) and count(*) = count(expected_usd)
order by workspace_id, agent_id
