-- Changes of an agent's day after it was first published as a whole: by a batch that began after
-- the day had ended, in the reporting time zone and in UTC. Figures are of all runs. A batch of
-- which nothing was published (a check failed) closes no day.
-- Grain: workspace, agent, date and load.
-- key: workspace_id, agent_id, date, load_id
-- narrow: date
-- narrow int_agent_utc_days: utc_date
-- narrow int_metered_days: utc_date
-- narrow loads: by load_id
-- ref agent_id: dim_agents
-- column load_id: The last load of the batch that brought the change.
-- column seen_at: When the batch first read the API after that change (UTC).
-- column cause: run_added, run_removed or cost_changed.
with

-- Where the API does not count by status, or counts fewer runs than the roll-up has, that has their
-- number: int_agent_utc_days. A roll-up of which the API refused the rest has neither number nor
-- cost.
counted as (
    select
        workspace_id,
        agent_id as line_id,
        utc_date as date,
        coalesce(api_run_count = greatest(api_run_count, api_rollup_run_count), false)
            as is_counted,
        is_part_of_rollup
    from intermediate.int_agent_utc_days
    where is_reported
),

-- Where the API refuses the platform's own usage, what was read of it before counts no more.
changes as (
    from intermediate.int_changes
    where
        measure <> 'platform'
        or (workspace_id, date) not in (
            select (workspace_id, utc_date)
            from intermediate.int_metered_days
            where not has_platform
        )
),

sums as (
    select
        changes.workspace_id,
        changes.line_id,
        changes.date,
        coalesce(batches.batch_id, changes.load_id) as batch_id,
        max(changes.load_id) as load_id,
        coalesce(sum(run_count) filter (measure = 'listed'), 0) as listed_count,
        coalesce(sum(cost_usd) filter (measure in ('listed', 'platform')), 0) as listed_usd,
        coalesce(sum(run_count) filter (measure = 'utc_listed'), 0) as utc_listed_count,
        coalesce(sum(cost_usd) filter (measure = 'utc_listed'), 0) as utc_listed_usd,
        coalesce(
            sum(
                case
                    when coalesce(is_counted, true) then if(measure = 'counts', run_count, null)
                    when not is_part_of_rollup and measure = 'rollups' then run_count
                end
            ),
            0
        ) as api_count,
        coalesce(
            sum(cost_usd) filter (measure = 'rollups' and is_part_of_rollup is not true), 0
        ) as api_usd
    from changes
    left join counted using (workspace_id, line_id, date)
    left join audit.loads as batches using (workspace_id, load_id)
    group by all
),

totals as (
    select
        workspace_id,
        line_id,
        date,
        batch_id,
        load_id,
        sum(listed_count) over so_far as listed_count,
        sum(listed_usd) over so_far as listed_usd,
        sum(api_count) over so_far - sum(utc_listed_count) over so_far as unlisted_count,
        sum(api_usd) over so_far - sum(utc_listed_usd) over so_far as unlisted_usd
    from sums
    window so_far as (partition by workspace_id, line_id, date order by batch_id)
),

states as (
    select
        totals.*,
        first_publications.batch_id as first_batch_id,
        listed_count + if(unlisted_count > 0, unlisted_count, 0) as run_count,
        listed_usd + if(unlisted_count > 0 and unlisted_usd > 0, unlisted_usd, 0) as cost_usd
    from totals
    join intermediate.int_first_publications as first_publications using (workspace_id, date)
),

steps as (
    select
        *,
        coalesce(lag(run_count) over day, 0) as previous_run_count,
        coalesce(lag(cost_usd) over day, 0) as previous_cost_usd
    from states
    window day as (partition by workspace_id, line_id, date order by batch_id)
)

select
    steps.workspace_id,
    steps.line_id as agent_id,
    agents.agent_name,
    steps.date,
    steps.load_id,
    steps.previous_cost_usd::decimal(38, 10) as previous_cost_usd,
    steps.cost_usd::decimal(38, 10) as current_cost_usd,
    steps.previous_run_count::bigint as previous_run_count,
    steps.run_count::bigint as current_run_count,
    case
        when steps.run_count > steps.previous_run_count then 'run_added'
        when steps.run_count < steps.previous_run_count then 'run_removed'
        else 'cost_changed'
    end as cause,
    loads.first_fetched_at as seen_at
from steps
left join audit.loads as loads using (workspace_id, load_id)
left join marts.dim_agents as agents
    on agents.workspace_id = steps.workspace_id and agents.agent_id = steps.line_id
where
    steps.batch_id > steps.first_batch_id
    and (
        steps.run_count <> steps.previous_run_count
        or steps.cost_usd <> steps.previous_cost_usd
    )
order by steps.workspace_id, steps.line_id, steps.date, steps.load_id
