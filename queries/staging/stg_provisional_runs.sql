-- Runs that may still change: open, or too fresh to be final; but for those that the API has twice
-- not known. Grain: run.
-- key: workspace_id, run_id
select workspace_id, run_id
from ledger.provisional_runs
