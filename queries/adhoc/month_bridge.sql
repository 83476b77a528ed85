-- How does the cost of runs lead to the bill, month by month?
-- Months are those of UTC, up to the last batch. For one workspace, name it in the condition; as it
-- stands, all workspaces are added up, and a step that is unknown of one is unknown of all.
select
    bridge.step_number,
    bridge.step,
    bridge.month,
    if(count(bridge.amount_usd) = count(*), sum(bridge.amount_usd), null) as amount_usd
from audit.month_bridge as bridge
join marts.dim_workspaces as workspaces using (workspace_id)
where workspaces.workspace_name like '%' and bridge.month <= workspaces.last_batch_at
group by bridge.step_number, bridge.step, bridge.month
order by bridge.month desc, bridge.step_number
