-- Answered requests. Grain: request.
-- key: workspace_id, load_id, request
select workspace_id, load_id, request, source, status, byte_count, record_count, fetched_at
from ledger.requests
