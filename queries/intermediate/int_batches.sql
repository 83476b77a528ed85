-- The batch to which each load belongs; a load of a batch that did not end is its own.
-- Grain: load.
-- key: workspace_id, load_id
-- materialized: table
select workspace_id, load_id, coalesce(batch_id, load_id) as batch_id
from staging.stg_loads
