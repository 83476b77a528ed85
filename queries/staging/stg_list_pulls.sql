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
    is_joined,
    gap_after,
    gap_before
from ledger.list_pulls
