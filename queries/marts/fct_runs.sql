-- Listed runs as last read: every run that a run list has ever shown. Runs that the API counts but
-- no list has shown have no row here; day and month tables hold them. Grain: run.
-- key: workspace_id, run_id
-- not_null: is_terminal, is_final
-- narrow: run_id
-- narrow int_session_runs: by session_id
-- narrow schedules: last_run_id
-- ref agent_id: dim_agents
-- column load_id: The load that first read the run as it is now.
with

replaced_versions as (
    select workspace_id, run_id, min(seen_at) as first_seen_at
    from staging.runs
    where not is_current
    group by workspace_id, run_id
),

sessions as (
    select workspace_id, session_id, arg_min(run_id, (created_at, run_id)) as first_run_id
    from intermediate.int_session_runs
    group by workspace_id, session_id
),

fired as (
    select workspace_id, last_run_id as run_id, min(schedule_id) as schedule_id
    from staging.schedules
    group by workspace_id, last_run_id
),

-- Runs that begin in the minute of a schedule's tick, as the clock of its time zone shows it.
on_time as (
    select workspace_id, run_id, min(schedule_id) as schedule_id
    from (
        select
            runs.workspace_id,
            runs.run_id,
            spans.* exclude (workspace_id, agent_id, cron_expr),
            runs.created_at at time zone spans.timezone as local_time,
            list_contains(days, day(local_time)) as is_day,
            list_contains(weekdays, dayofweek(local_time)) as is_weekday
        from intermediate.int_runs as runs
        join intermediate.int_schedule_spans as spans
            on
                spans.workspace_id = runs.workspace_id
                and spans.agent_id = runs.agent_id
                and runs.created_at >= spans.valid_from
                and runs.created_at < coalesce(spans.valid_until, 'infinity')
        where spans.is_on and runs.parent_run_id is null
    )
    where
        list_contains(minutes, minute(local_time))
        and list_contains(hours, hour(local_time))
        and list_contains(months, month(local_time))
        and if(is_either_day, is_day or is_weekday, is_day and is_weekday)
    group by workspace_id, run_id
)

select
    runs.workspace_id,
    agents.workspace_name,
    runs.run_id,
    runs.agent_id,
    agents.agent_slug,
    agents.agent_name,
    runs.agent_version,
    runs.session_id,
    runs.parent_run_id,
    coalesce(roots.root_run_id, runs.run_id) as root_run_id,
    runs.kind,
    case
        when fired.run_id is not null then 'schedule'
        when runs.parent_run_id is not null then 'parent'
        when sessions.first_run_id <> runs.run_id then 'session'
        when on_time.run_id is not null then 'schedule'
        else 'unknown'
    end as trigger_type,
    case
        when trigger_type = 'unknown' then 'unknown'
        when trigger_type = 'schedule' and fired.run_id is null then 'inferred'
        else 'reported'
    end as trigger_evidence,
    if(
        trigger_type = 'schedule', coalesce(fired.schedule_id, on_time.schedule_id), null
    ) as schedule_id,
    runs.status,
    runs.date,
    runs.created_at,
    runs.started_at,
    runs.finished_at,
    runs.queue_seconds,
    runs.duration_seconds,
    runs.cost_usd,
    runs.tokens_in,
    runs.tokens_out,
    runs.artifact_count,
    errors.error_class,
    runs.error_message,
    runs.is_terminal,
    provisional.run_id is null as is_final,
    runs.has_no_usage,
    coalesce(replaced_versions.first_seen_at, runs.seen_at) as first_seen_at,
    runs.seen_at as last_changed_at,
    runs.load_id,
    runs.request_number,
    runs.file_line
from intermediate.int_runs as runs
left join replaced_versions using (workspace_id, run_id)
left join intermediate.int_run_errors as errors using (workspace_id, run_id)
left join fired using (workspace_id, run_id)
left join on_time using (workspace_id, run_id)
left join sessions using (workspace_id, session_id)
left join ledger.provisional_runs as provisional using (workspace_id, run_id)
left join intermediate.int_run_roots as roots using (workspace_id, run_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
