-- Endpoints that the API refuses to a workspace: the last load that asked has no answer other than
-- 403 or 404. What needs one is unknown. Grain: workspace and endpoint.
-- key: workspace_id, endpoint
-- materialized: table
with

endpoints as (
    select *
    from (
        values
        ('usage_hours', 'analytics/hourly'),
        ('billing_days', 'analytics/billing'),
        ('agent_billing_days', 'analytics/timeseries/by-agent'),
        ('agent_rollups', 'analytics/agents'),
        ('platform_rollups', 'analytics/platform-agents'),
        ('run_counts', 'runs/daily'),
        ('run_costs', 'analytics/runs/{id}/costs'),
        ('run_log_events', 'runs/{id}/log/events'),
        ('provider_keys', 'byok')
    ) as named (source, endpoint)
),

last_loads as (
    select
        workspace_id,
        source,
        load_id,
        bool_and(coalesce(status in (403, 404), false)) as is_refused,
        max(status) as status,
        max(fetched_at) as refused_at
    from ledger.requests
    where
        (workspace_id, source) in (
            select (workspace_id, source) from ledger.requests where status in (403, 404)
        )
    group by workspace_id, source, load_id
    qualify load_id = max(load_id) over (partition by workspace_id, source)
)

select workspace_id, endpoint, status, refused_at
from last_loads
join endpoints using (source)
where is_refused
order by workspace_id, endpoint
