-- The workspaces that the warehouse holds. Grain: workspace.
-- key: workspace_id
select
    workspace_id,
    coalesce(nullif(trim(workspace_name), ''), workspace_id) as workspace_name,
    first_batch_at,
    last_batch_at
from ledger.workspaces
