-- Changes of the API's run counts by agent, UTC day and status: each version adds its count with
-- its load and is taken off with the load that replaced it. Grain: version and load.
-- key: version_id, load_id
select version_id, workspace_id, date as utc_date, agent_id, run_count, load_id
from raw.run_counts
where agent_id is not null
union all
select
    counts.version_id,
    counts.workspace_id,
    counts.date,
    counts.agent_id,
    -counts.run_count,
    superseded.load_id
from raw.run_counts as counts
join raw.superseded as superseded using (version_id)
where counts.agent_id is not null
