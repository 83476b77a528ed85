-- The batch that first published each date as a whole: it began after the date had ended, in the
-- reporting time zone and in UTC. A batch of which nothing was published (a check failed) is none;
-- of batches published together, the figures are those of the last. Grain: workspace and date.
-- key: workspace_id, date
-- materialized: table
with

publications as (
    select workspace_id, max(load_id) as batch_id
    from ledger.loads
    where step = 'workspace' and published_at is not null
    group by workspace_id, published_at
),

ends as (
    select
        workspace_id,
        batch_id,
        least(
            began_at at time zone getvariable('reporting_timezone'),
            began_at at time zone 'UTC'
        )::date - 1 as last_date
    from (
        select
            *,
            try_strptime(left(batch_id, 16), '%Y%m%dT%H%M%SZ') at time zone 'UTC' as began_at
        from publications
    )
),

-- A clock that goes back may show an earlier date than at the first run, but not a day later.
first_runs as (
    select workspace_id, min(created_at) as first_created_at
    from staging.runs
    group by workspace_id
),

changes as (
    select
        workspace_id,
        least(
            (created_at at time zone getvariable('reporting_timezone'))::date,
            (created_at at time zone 'UTC')::date
        ) as date
    from staging.runs
    join first_runs using (workspace_id)
    where created_at < first_created_at + interval 1 day
    union all
    select workspace_id, utc_date
    from staging.agent_rollups
    where agent_id is not null
    union all
    select workspace_id, utc_date
    from staging.run_counts
    where agent_id is not null
    union all
    select workspace_id, utc_date
    from staging.platform_rollups
),

spans as (
    select
        changes.workspace_id,
        min(changes.date) as first_date,
        (select max(last_date) from ends where ends.workspace_id = changes.workspace_id)
            as last_date
    from changes
    group by changes.workspace_id
),

dates as (
    select
        workspace_id,
        unnest(generate_series(first_date, last_date, interval 1 day))::date as date
    from spans
)

select dates.workspace_id, dates.date, min(ends.batch_id) as batch_id
from dates
join ends
    on ends.workspace_id = dates.workspace_id
    and ends.last_date >= dates.date
group by dates.workspace_id, dates.date
