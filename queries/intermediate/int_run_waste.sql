-- Listed runs that were for nothing, or may have been, each by the first reason that holds:
-- run_limit (it failed at its own limit of steps, time or money), failed, cancelled, idle (it
-- succeeded with no artifact, no tool call and at most 100 tokens out), retry (it succeeded, and
-- the run of its session before it had failed), repeated_calls (it succeeded, and called one tool
-- once more after three errors of it in a row). Of a retry and of repeated calls nobody can tell
-- which part of the run they are. Grain: run.
-- key: workspace_id, run_id
-- column repeated_tools: Tools that the run called once more after three errors in a row, also if
-- it is here for another reason; null without one.
-- materialized: table
-- narrow: run_id
-- narrow int_session_runs: by session_id
with

followed as (
    select
        workspace_id,
        run_id,
        lag(status) over (
            partition by workspace_id, session_id order by created_at, run_id
        ) = 'failed' as is_retry
    from intermediate.int_session_runs
),

streaks as (
    select
        workspace_id,
        run_id,
        tool_name,
        coalesce(is_error, false) as is_error,
        count(*) filter (not coalesce(is_error, false)) over (
            partition by workspace_id, run_id, tool_name order by call_number
        ) as streak
    from marts.fct_tool_calls
),

repeating as (
    select workspace_id, run_id, list(distinct tool_name order by tool_name) as repeated_tools
    from (
        select workspace_id, run_id, tool_name
        from streaks
        where is_error
        group by workspace_id, run_id, tool_name, streak
        having count(*) >= 3
    )
    group by workspace_id, run_id
),

calling as (
    select distinct workspace_id, run_id
    from marts.fct_tool_calls
),

logged as (
    select distinct workspace_id, run_id
    from marts.fct_log_events
),

reasons as (
    select
        runs.workspace_id,
        runs.run_id,
        runs.agent_id,
        runs.date,
        runs.cost_usd,
        case
            when error_class in ('budget_limit', 'step_limit', 'time_limit') then 'run_limit'
            when status in ('failed', 'cancelled') then status
            when
                status = 'succeeded'
                and artifact_count = 0
                and tokens_out <= 100
                and calling.run_id is null
                then 'idle'
            when status = 'succeeded' and is_retry then 'retry'
            when status = 'succeeded' and repeating.run_id is not null then 'repeated_calls'
        end as reason,
        -- Without its log, it may have called a tool.
        reason in ('run_limit', 'failed', 'cancelled')
        or (reason = 'idle' and logged.run_id is not null) as is_certain,
        repeated_tools
    from marts.fct_runs as runs
    left join followed using (workspace_id, run_id)
    left join repeating using (workspace_id, run_id)
    left join calling using (workspace_id, run_id)
    left join logged using (workspace_id, run_id)
)

select *
from reasons
where reason is not null
