-- Landing files as they were when they were loaded: landing/workspace_id/load_id/file_name in the
-- data directory.
-- Grain: file.
-- key: workspace_id, load_id, file_name
-- column byte_count: Bytes of the file, compressed.
select workspace_id, load_id, file_name, byte_count, sha256
from ledger.files
order by workspace_id, load_id, file_name
