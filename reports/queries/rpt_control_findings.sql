-- The 20 largest differences of each control and workspace. Grain: control's finding.
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
from audit.control_findings
where finding_number <= 20 and control is not null
order by workspace_id, control, check_name, finding_number
