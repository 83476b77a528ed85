-- Money for nothing, of the 28 days that ended last, so that the page of an agent has the same
-- runs: runs that succeeded without a trace; runs that call a tool once more after three errors of
-- it in a row, or that end at a limit. It is chronic where the 28 days before had it, too. What
-- another finding tells is left out: runs of a version that fails more often, calls of a tool
-- while it failed, and an agent's own burst.
-- Grain: kind, agent and subject.
-- key: kind, workspace_id, agent_id, subject, detail
-- materialized: table
with

runs as (
    select
        workspace_id,
        run_id,
        runs.agent_id,
        agent_version,
        status,
        coalesce(cron_expr, trigger_type) as trigger,
        error_class,
        artifact_count,
        tokens_out,
        cost_usd,
        created_at,
        time_bucket(interval 1 hour, created_at) as hour,
        date > last_complete_date - 28 as is_recent
    from marts.fct_runs as runs
    join marts.dim_workspaces using (workspace_id)
    left join marts.dim_schedules using (workspace_id, schedule_id)
    where status in ('succeeded', 'failed')
        and date between last_complete_date - 55 and last_complete_date
),

idle as (
    select distinct workspace_id, run_id
    from (
        select workspace_id, run_id
        from runs
        where status = 'succeeded' and artifact_count = 0 and tokens_out <= 100
    )
    join marts.fct_log_events using (workspace_id, run_id)
    anti join marts.fct_tool_calls using (workspace_id, run_id)
),

calls as (
    select workspace_id, run_id, tool_name, call_number, coalesce(is_error, false) as is_error
    from marts.fct_tool_calls
    join marts.dim_workspaces using (workspace_id)
    where called_at >= last_batch_at - interval 58 days
),

streaks as (
    select *, count(*) filter (not is_error) over (
        partition by workspace_id, run_id, tool_name order by call_number
    ) as streak
    from calls
    semi join (
        select workspace_id, run_id, tool_name
        from calls
        where is_error
        group by all
        having count(*) >= 3
    ) as failing using (workspace_id, run_id, tool_name)
),

repeated as (
    select distinct workspace_id, run_id, tool_name
    from (
        select workspace_id, run_id, tool_name, streak
        from streaks
        where is_error
        group by all
        having count(*) >= 3
    )
),

-- Runs of agents that waste something, each with what it is about.
judged as (
    select
        'idle_runs' as kind,
        runs.*,
        trigger as subject,
        null as detail,
        idle.run_id is not null as is_waste
    from runs
    left join idle using (workspace_id, run_id)
    where status = 'succeeded'
    union all by name
    select
        'repeated_errors' as kind,
        runs.*,
        tool_name as subject,
        'tool' as detail,
        repeated.run_id is not null as is_waste
    from (
        select distinct workspace_id, agent_id, tool_name
        from repeated
        join runs using (workspace_id, run_id)
    )
    join runs using (workspace_id, agent_id)
    semi join calls using (workspace_id, run_id, tool_name)
    left join repeated using (workspace_id, run_id, tool_name)
    union all by name
    select
        'repeated_errors' as kind,
        runs.*,
        limits.error_class as subject,
        'limit' as detail,
        runs.error_class is not distinct from limits.error_class as is_waste
    from (
        select distinct workspace_id, agent_id, error_class
        from runs
        where error_class in ('budget_limit', 'time_limit', 'step_limit')
    ) as limits
    join runs using (workspace_id, agent_id)
),

explained as (
    select workspace_id, run_id, judged.subject
    from judged
    join intermediate.int_findings as found using (workspace_id, agent_id)
    where judged.kind = 'repeated_errors' and if(
        found.kind = 'version_worse',
        found.unit = 'share' and found.subject = concat('v', agent_version),
        found.kind = 'failure_burst' and hour >= found.since
        and (found.until is null or hour < found.until)
    )
    union all
    select workspace_id, run_id, subject
    from judged
    join intermediate.int_findings as found using (workspace_id, detail, subject)
    where found.kind = 'failure_burst' and detail = 'tool' and hour >= found.since
        and (found.until is null or hour < found.until)
),

sums as (
    select
        kind,
        workspace_id,
        agent_id,
        subject,
        detail,
        min(created_at) filter (is_waste and is_recent) as since,
        count(*) filter (is_recent) as sample_count,
        count(*) filter (is_waste and is_recent) as run_count,
        count(*) filter (is_waste and not is_recent) as earlier_count,
        sum(cost_usd) filter (is_waste and is_recent) as cost_usd
    from judged
    anti join explained using (workspace_id, run_id, subject)
    group by all
)

select
    * exclude (earlier_count),
    run_count / sample_count as value,
    'share' as unit,
    earlier_count * 4 >= run_count as is_chronic
from sums
where run_count >= if(kind = 'idle_runs', 20, 5)
    and run_count >= if(kind = 'idle_runs', 0.2, 0.05) * sample_count
    and cost_usd >= 1
