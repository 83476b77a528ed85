-- Records that could not be understood, without their content. Grain: record.
-- key: workspace_id, load_id, source, request, line
select workspace_id, load_id, source, request, line, reason
from ledger.quarantine
