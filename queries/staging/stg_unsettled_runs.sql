-- Runs that are open, or too fresh to be settled. Grain: run.
-- key: workspace_id, run_id
select workspace_id, run_id
from ledger.unsettled_runs
