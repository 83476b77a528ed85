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
        coalesce(waste.reason = 'idle' and is_certain, false) as is_idle,
        if(waste.reason = 'run_limit', error_class, null) as reached_limit,
        coalesce(repeated_tools, []) as repeated_tools,
        runs.cost_usd,
        created_at,
        time_bucket(interval 1 hour, created_at) as hour,
        runs.date > last_complete_date - 28 as is_recent
    from marts.fct_runs as runs
    join marts.dim_workspaces using (workspace_id)
    left join marts.dim_schedules using (workspace_id, schedule_id)
    left join intermediate.int_run_waste as waste using (workspace_id, run_id)
    where status in ('succeeded', 'failed')
        and runs.date between last_complete_date - 55 and last_complete_date
),

-- Runs of agents that waste something, each with what it is about.
judged as (
    select 'idle_runs' as kind, *, trigger as subject, null as detail, is_idle as is_waste
    from runs
    where status = 'succeeded'
    union all by name
    select
        'repeated_errors' as kind,
        runs.*,
        tool_name as subject,
        'tool' as detail,
        list_contains(runs.repeated_tools, tool_name) as is_waste
    from (
        select distinct workspace_id, agent_id, unnest(repeated_tools) as tool_name
        from runs
    )
    join runs using (workspace_id, agent_id)
    semi join (
        from marts.fct_tool_calls
        where called_at >= (select min(last_batch_at) from marts.dim_workspaces) - interval 58 days
    ) using (workspace_id, run_id, tool_name)
    union all by name
    select
        'repeated_errors' as kind,
        runs.*,
        limits.reached_limit as subject,
        'limit' as detail,
        runs.reached_limit is not distinct from limits.reached_limit as is_waste
    from (
        select distinct workspace_id, agent_id, reached_limit
        from runs
        where reached_limit is not null
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
