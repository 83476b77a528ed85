-- The last run of each schedule, as each version of it said. Grain: schedule and version.
-- key: version_id
select version_id, workspace_id, last_run_id as run_id
from raw.schedules
where last_run_id is not null
