-- What did failed runs burn in the last 30 days, by the reason that they failed?
with

latest as (
    select max(date) as date
    from marts.fct_runs
)

select
    runs.error_class,
    count(*) as failed_count,
    count(distinct runs.agent_id) as agent_count,
    sum(runs.cost_usd) as failed_cost_usd,
    max(runs.created_at) as latest_at,
    arg_max(runs.error_message, runs.created_at) as latest_message
from marts.fct_runs as runs
where runs.status = 'failed' and runs.date > (select date from latest) - 30
group by runs.error_class
order by failed_cost_usd desc nulls last
