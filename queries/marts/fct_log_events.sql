-- Log events of ended listed runs, without their texts. Where the API's numbers of a run's events
-- are missing or not unique, their order numbers them; an event that came twice is one.
-- Grain: run and event.
-- key: workspace_id, run_id, seq
-- narrow: run_id
-- ref run_id: fct_runs
with

misnumbered as (
    select workspace_id, run_id
    from staging.run_log_events
    where is_current
    group by workspace_id, run_id
    having count(distinct seq) < count(*)
),

misnumbered_events as (
    select *
    from staging.run_log_events
    semi join misnumbered using (workspace_id, run_id)
    where is_current
    qualify
        seq is null
        or row_number() over (
            partition by workspace_id, run_id, seq, record_hash order by version_id
        ) = 1
),

events as (
    select *
    from staging.run_log_events
    anti join misnumbered using (workspace_id, run_id)
    where is_current
    union all by name
    select
        * replace (
            row_number() over (
                partition by workspace_id, run_id order by seq nulls last, version_id
            ) as seq
        )
    from misnumbered_events
)

select
    workspace_id,
    run_id,
    seq,
    occurred_at,
    level,
    logger,
    node,
    event_kind,
    tool_use_id,
    tool_name,
    is_error,
    duration_ms as elapsed_ms
from events
