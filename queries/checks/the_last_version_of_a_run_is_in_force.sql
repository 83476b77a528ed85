-- Every run that was ever loaded is in fct_runs, and of one that changed the last version and no
-- other.
-- narrow: run_id
with

versions as (
    select
        *,
        version_number = max(version_number) over (partition by workspace_id, run_id) as is_last
    from audit.run_versions
)

select
    versions.workspace_id,
    versions.run_id,
    versions.version_number,
    versions.cost_usd as version_cost_usd,
    runs.cost_usd as run_cost_usd
from versions
left join marts.fct_runs as runs using (workspace_id, run_id)
where
    versions.is_current <> versions.is_last
    or versions.is_current <> (versions.superseded_by_load_id is null)
    or (
        versions.is_current
        and (runs.status, runs.cost_usd, runs.load_id, runs.file_line)
        is distinct from (versions.status, versions.cost_usd, versions.load_id, versions.file_line)
    )
union all by name
select distinct workspace_id, run_id
from raw.runs
anti join marts.fct_runs using (workspace_id, run_id)
