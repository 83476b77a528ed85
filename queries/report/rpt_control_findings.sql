-- The 20 largest differences of each control and workspace. Grain: control's finding.
-- key: workspace_id, control, check_name, finding_number
-- column finding_number: Place of the finding in its check and workspace, the largest first.
-- column finding_count: Findings of the check in the workspace, those included that are not here.
-- column agent_id: The agent whose figures differ; null where the control compares none.
-- column run_id: The run whose figures differ; null where the control compares days.
-- column provider: The provider whose figures differ; null where the control compares none.
-- column ours: Number of the first source, in the unit.
-- column theirs: Number of the second source, in the unit.
-- column difference: First number less the second, in the unit.
select
    workspace_id,
    control,
    check_name,
    finding_number,
    finding_count,
    utc_date,
    agent_id,
    run_id,
    provider,
    coalesce(measure, '(none)') as measure,
    case
        when ends_with(measure, '_usd') then 'usd'
        when starts_with(measure, 'tokens_') then 'tokens'
        when measure = 'request_count' then 'requests'
        when ends_with(measure, '_count') then 'runs'
        else '(none)'
    end as unit,
    ours,
    theirs,
    coalesce(difference_usd, ours - theirs)::decimal(38, 10) as difference
from reports.control_findings
where finding_number <= 20 and control is not null
order by workspace_id, control, check_name, finding_number
