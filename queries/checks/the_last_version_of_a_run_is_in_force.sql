-- fct_runs has each run that was loaded, and no other, as the last version and no other has it:
-- agent, status, day of creation, cost, tokens and artifacts, to the last digit. A run that the API
-- did not know when the run had moved to another workspace is in none.
-- narrow: run_id
with

versions as (
    select
        *,
        version_number = max(version_number) over (partition by workspace_id, run_id) as is_last
    from audit.run_versions
),

loaded as (
    select * replace (coalesce(agent_id, '(none)') as agent_id)
    from raw.runs
    anti join raw.superseded using (version_id)
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
    (
        versions.is_current <> versions.is_last
        and (workspace_id, run_id, superseded_by_load_id) not in (
            select (workspace_id, run_id, load_id)
            from ledger.requests
            where source = 'runs' and status = 404 and run_id is not null
        )
    )
    or versions.is_current <> (versions.superseded_by_load_id is null)
    or (
        versions.is_current
        and (runs.status, runs.cost_usd, runs.load_id, runs.file_line)
        is distinct from (versions.status, versions.cost_usd, versions.load_id, versions.file_line)
    )
union all by name
select
    workspace_id,
    run_id,
    loaded.cost_usd as version_cost_usd,
    runs.cost_usd as run_cost_usd,
    loaded.tokens_in as version_tokens_in,
    runs.tokens_in as run_tokens_in
from loaded
full join marts.fct_runs as runs using (workspace_id, run_id)
where
    (
        loaded.agent_id, loaded.status, loaded.created_at::date, loaded.cost_usd,
        loaded.tokens_in, loaded.tokens_out, loaded.artifact_count
    ) is distinct from (
        runs.agent_id, runs.status, runs.created_at::date, runs.cost_usd,
        runs.tokens_in, runs.tokens_out, runs.artifact_count
    )
