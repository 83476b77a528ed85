-- Days on which the API's own figures differ, or on which cost is unexplained: of each control the
-- largest differences, and of each agent what nothing explains of days that are over.
-- Grain: workspace, day, what differs, agent and run.
select
    workspace_id,
    utc_date,
    control as what,
    agent_id,
    run_id,
    coalesce(measure, '(none)') as measure,
    if(ends_with(measure, '_usd'), 'usd', 'number') as unit,
    ours,
    theirs,
    coalesce(difference_usd, ours - theirs)::decimal(38, 10) as difference
from audit.control_findings
where finding_number <= 20 and control is not null
union all by name
select
    agents.workspace_id,
    agents.utc_date,
    if(days.status = 'pending', 'unexplained so far', 'unexplained') as what,
    agents.agent_id,
    'cost_usd' as measure,
    'usd' as unit,
    agents.metered_cost_usd - agents.unexplained_usd as ours,
    agents.metered_cost_usd as theirs,
    -agents.unexplained_usd as difference
from intermediate.int_agent_days_vs_api as agents
join audit.reconciliation_days as days using (workspace_id, utc_date)
where agents.unexplained_usd <> 0 and days.status in ('unreconciled', 'pending')
