-- What changed of an agent's day after it was first published as a whole: by a batch that began
-- after the day had ended. A batch of which nothing was published (a control did not hold) closes
-- no day. Grain: workspace, agent, date and load.
-- key: workspace_id, agent_id, date, load_id
-- column load_id: The load that brought the change.
-- column seen_at: When the load first saw the change (UTC).
with

-- What is published is the figures of the last batch that they hold.
publications as (
    select workspace_id, max(load_id) as batch_id
    from staging.stg_loads
    where step = 'workspace' and published_at is not null
    group by workspace_id, published_at
),

batches as (
    select
        *,
        (try_strptime(left(batch_id, 16), '%Y%m%dT%H%M%SZ') at time zone 'UTC')
            at time zone getvariable('reporting_timezone') as began_at
    from publications
),

versions as (
    select
        *,
        (created_at at time zone getvariable('reporting_timezone'))::date as date
    from staging.stg_run_versions
),

changes as (
    select
        workspace_id,
        agent_id,
        date,
        load_id,
        1 as run_count,
        coalesce(cost_usd, 0) as cost_usd
    from versions
    union all
    select
        workspace_id,
        agent_id,
        date,
        superseded_by_load_id,
        -1,
        -coalesce(cost_usd, 0)
    from versions
    where not is_current
),

changes_by_load as (
    select
        workspace_id,
        agent_id,
        date,
        load_id,
        sum(run_count)::bigint as run_count,
        sum(cost_usd) as cost_usd
    from changes
    group by workspace_id, agent_id, date, load_id
),

states as (
    select
        *,
        sum(run_count) over so_far as current_run_count,
        sum(cost_usd) over so_far as current_cost_usd
    from changes_by_load
    window so_far as (partition by workspace_id, agent_id, date order by load_id)
),

closings as (
    select states.workspace_id, states.date, min(batches.batch_id) as closing_batch_id
    from (select distinct workspace_id, date from states) as states
    join batches
        on
            batches.workspace_id = states.workspace_id
            and batches.began_at > states.date + 1
    group by states.workspace_id, states.date
),

seen as (
    select workspace_id, load_id, min(fetched_at) as seen_at
    from staging.stg_requests
    group by workspace_id, load_id
)

select
    states.workspace_id,
    states.agent_id,
    states.date,
    states.load_id,
    (states.current_cost_usd - states.cost_usd)::decimal(38, 10) as previous_cost_usd,
    states.current_cost_usd::decimal(38, 10) as current_cost_usd,
    (states.current_run_count - states.run_count)::bigint as previous_run_count,
    states.current_run_count::bigint as current_run_count,
    seen.seen_at
from states
join closings using (workspace_id, date)
left join staging.stg_loads as loads using (workspace_id, load_id)
left join seen using (workspace_id, load_id)
where
    coalesce(loads.batch_id, states.load_id) > closings.closing_batch_id
    and (states.cost_usd <> 0 or states.run_count <> 0)
order by states.workspace_id, states.agent_id, states.date, states.load_id
