-- Pulls of the run lists; agent_id is null for the unfiltered list. Grain: pull.
-- key: workspace_id, load_id, agent_id, pulled_at
select
    workspace_id,
    load_id,
    agent_id,
    pulled_at,
    row_count,
    newest_run_id,
    newest_created_at,
    oldest_created_at,
    is_contiguous,
    unread_from,
    unread_until
from ledger.list_snapshots
