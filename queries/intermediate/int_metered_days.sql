-- The UTC days from the first one whose metered usage was asked for to that of the last batch:
-- whether each is over, whether it lies in the 8 days that each batch reads again, whether its
-- usage is metered, as that of each day is before the last one with usage, and which meters it
-- has: the API may refuse one to an account. A day has a meter that was read since it was refused,
-- or that had been read as a whole before; of refused provider keys, those before the day on which
-- they were last read, and of the keys of a day whose hourly meter is refused, none.
-- Grain: UTC day.
-- key: workspace_id, utc_date
-- not_null: has_ended, has_hours, has_bill, has_agent_bill, has_rollups, has_platform, has_counts
-- materialized: table
with

spans as (
    select
        workspaces.workspace_id,
        min(requests.window_start) as first_date,
        max(workspaces.last_batch_at)::date as last_date
    from ledger.requests as requests
    join ledger.workspaces as workspaces using (workspace_id)
    where requests.source = 'usage_hours' and requests.status in (200, 403, 404)
    group by workspaces.workspace_id
),

-- Counts are asked for by agent: where another one is counted, a refused agent is gone.
counted as (
    select distinct workspace_id, source, load_id
    from ledger.requests
    where source = 'run_counts' and status = 200
),

refused as (
    select
        workspace_id,
        source,
        load_id as refused_by,
        unnest(generate_series(window_start, window_end - 1, interval 1 day))::date as utc_date
    from ledger.requests
    anti join counted using (workspace_id, source, load_id)
    where status in (403, 404) and window_start is not null
),

read_days as (
    select
        workspace_id,
        source,
        load_id,
        fetched_at,
        unnest(generate_series(window_start, window_end - 1, interval 1 day))::date as utc_date
    from ledger.requests
    semi join refused using (workspace_id, source)
    where status = 200
),

lacking as (
    select refused.workspace_id, refused.utc_date, list(distinct refused.source) as sources
    from refused
    anti join read_days
        on read_days.workspace_id = refused.workspace_id
        and read_days.source = refused.source
        and read_days.utc_date = refused.utc_date
        and (load_id > refused_by or fetched_at >= read_days.utc_date + interval 2 day)
    group by refused.workspace_id, refused.utc_date
),

key_reads as (
    select
        workspace_id,
        coalesce(max(fetched_at) filter (status = 200), '-infinity')::date as last_read_date
    from ledger.requests
    where source = 'provider_keys'
    group by workspace_id
    having
        max(fetched_at) filter (status in (403, 404))
        > coalesce(max(fetched_at) filter (status = 200), '-infinity')
),

days as (
    select
        *,
        unnest(generate_series(first_date, last_date, interval 1 day))::date as utc_date
    from spans
),

keyed as (
    select distinct days.workspace_id, days.utc_date
    from days
    join marts.dim_provider_keys as keys
        on keys.workspace_id = days.workspace_id
        and keys.added_at < days.utc_date + interval 1 day
        and coalesce(keys.removed_at > days.utc_date, true)
),

meters as (
    select workspace_id, max(utc_date) as last_metered_date
    from staging.usage_hours
    where is_current
    group by workspace_id
)

select
    workspace_id,
    utc_date,
    first_date,
    last_date,
    utc_date < last_date as has_ended,
    utc_date > last_date - 8 as is_recent,
    not list_contains(coalesce(sources, []), 'usage_hours') as has_hours,
    has_hours
    and (coalesce(utc_date < last_metered_date, false) or utc_date <= last_date - 8) as is_metered,
    not list_contains(coalesce(sources, []), 'billing_days') as has_bill,
    not list_contains(coalesce(sources, []), 'agent_billing_days') as has_agent_bill,
    not list_contains(coalesce(sources, []), 'agent_rollups') as has_rollups,
    not list_contains(coalesce(sources, []), 'platform_rollups') as has_platform,
    not list_contains(coalesce(sources, []), 'run_counts') as has_counts,
    coalesce(utc_date < last_read_date, true) and (has_hours or keyed.utc_date is null)
        as has_provider_keys
from days
left join keyed using (workspace_id, utc_date)
left join meters using (workspace_id)
left join key_reads using (workspace_id)
left join lacking using (workspace_id, utc_date)
