-- The workspaces that the warehouse holds, their names composed (NFC) as those in finance/ are.
-- Grain: workspace.
-- key: workspace_id
select
    workspace_id,
    coalesce(nullif(trim(nfc_normalize(workspace_name)), ''), workspace_id) as workspace_name,
    first_batch_at,
    last_batch_at
from ledger.workspaces
