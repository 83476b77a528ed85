-- Each run's cost by model, as last read. Grain: run, model and provider as the API spells them.
-- key: version_id
select
    version_id,
    workspace_id,
    run_id,
    coalesce(regexp_replace(model, '^[^/]+/(.)', '\1'), '(unknown)') as model,
    coalesce(provider, '(unknown)') as provider,
    cost_usd,
    tokens_in,
    tokens_out,
    request_count,
    started_at,
    ended_at
from raw.run_costs
anti join raw.superseded using (version_id)
