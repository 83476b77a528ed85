-- Agents' UTC days with a listed run that had not ended when the last batch began.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
select
    days.workspace_id,
    if(days.agent_id = '(none)', '(platform)', days.agent_id) as agent_id,
    days.utc_date
from intermediate.int_listed_days as days
join ledger.workspaces as workspaces using (workspace_id)
where days.last_finished_at >= workspaces.last_batch_at
