-- Every version of each run, and the load that replaced it. Grain: run and version.
-- key: version_id
-- clustered: created_at
select
    versions.version_id,
    versions.workspace_id,
    versions.run_id,
    versions.agent_id,
    versions.status,
    versions.cost_usd,
    versions.tokens_in,
    versions.tokens_out,
    versions.created_at,
    versions.finished_at,
    versions.load_id,
    versions.request as request_number,
    versions.line as file_line,
    versions.seen_at,
    superseded.load_id as superseded_by_load_id,
    superseded.version_id is null as is_current
from raw.runs as versions
left join raw.superseded as superseded using (version_id)
