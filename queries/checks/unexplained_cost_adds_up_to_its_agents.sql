-- A day's unexplained cost is the sum of what its agents leave unexplained.
with

figures as (
    select workspace_id, date, unexplained_usd as of_day
    from audit.reconciliation_days
    union all by name
    select workspace_id, date, unexplained_usd as of_agents
    from audit.reconciliation_agents
)

select
    workspace_id,
    date,
    coalesce(sum(of_day), 0) as of_day,
    coalesce(sum(of_agents), 0) as of_agents
from figures
group by workspace_id, date
having coalesce(sum(figures.of_day), 0) <> coalesce(sum(figures.of_agents), 0)
order by workspace_id, date
