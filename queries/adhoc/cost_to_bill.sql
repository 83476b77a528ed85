-- How does the cost of runs lead to the bill, month by month?
-- Months are those of UTC, up to the last batch, whole ones first. For one workspace, name it in
-- the condition; as it stands, all workspaces are added up, and a step that is unknown of one is
-- unknown of all.
select
    steps.step_number,
    steps.step,
    steps.month,
    if(count(steps.amount_usd) = count(*), sum(steps.amount_usd), null) as amount_usd
from audit.cost_to_bill as steps
join marts.dim_workspaces as workspaces using (workspace_id)
where workspaces.workspace_name like '%' and steps.month <= workspaces.last_batch_at
group by steps.step_number, steps.step, steps.month
order by
    last_day(steps.month) > min(workspaces.last_complete_date), steps.month desc, steps.step_number
