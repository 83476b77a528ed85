-- Landing files that were loaded. Grain: file.
-- key: workspace_id, load_id, file_name
select workspace_id, load_id, file_name, byte_count, sha256
from ledger.files
