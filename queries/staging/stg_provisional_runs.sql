-- Runs that are open, or too fresh to be final. Grain: run.
-- key: workspace_id, run_id
select workspace_id, run_id
from ledger.provisional_runs
