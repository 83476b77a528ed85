-- The months to forecast, from their day `first` to the one before `end`, by what was known before
-- `start`: the month of each workspace's last batch, and budgets of months that go on and were read
-- from their first day of all workspaces. Those that are not current test the forecast of a line:
-- as of the 1st, 8th, 15th and 22nd of each of the 12 months before.
with

months as (
    select
        workspace_id,
        months_ago = 0 as is_current,
        (date_trunc('month', last_batch_date) - to_months(months_ago))::date as month,
        if(
            months_ago = 0,
            coalesce(last_complete_date + 1, last_batch_date),
            month + day::integer - 1
        ) as start
    from marts.dim_workspaces
    cross join (select unnest(range(13))::integer as months_ago)
    cross join (select unnest([1, 8, 15, 22]) as day)
    where last_batch_date is not null and (months_ago > 0 or day = 1)
),

lines as (
    select workspace_id, agent_id as name
    from marts.dim_agents
    union all
    select workspace_id, '(all)' as name
    from marts.dim_workspaces
)

select
    'line' as scope, name, workspace_id, month,
    start,
    greatest(start, month) as first,
    (month + interval 1 month)::date as "end",
    is_current
from lines
join months using (workspace_id)
union all
select
    scope, name, workspace_id, month,
    start,
    greatest(start, month) as first,
    next_month as "end",
    true as is_current
from intermediate.int_budgets
where first_date <= month
    and month <= today
    and greatest(start, today) < next_month
    and not lacks_workspace
