-- Each control against the API in each workspace, those that compared nothing there as well, and
-- those that could not run because the API refused a source of theirs when it was last asked.
-- Grain: workspace, control and measure.
with

controls as (
    select
        control,
        first(claim order by check_name) as claim,
        first(sources order by check_name) as sources
    from audit.check_results
    where control is not null
    group by control
),

compared as (
    select
        workspaces.workspace_id,
        controls.control,
        coalesce(totals.measure, '(none)') as measure,
        controls.claim,
        coalesce(totals.compared_count, 0) as compared_count,
        case
            when control = 'run costs' then 'runs'
            when control = 'bill' then 'days of a provider'
            when control in ('platform', 'allocation') then 'days'
            else 'agent days'
        end as compared,
        totals.ours,
        totals.theirs,
        (
            select min(endpoint)
            from intermediate.int_refused_endpoints as refused
            where
                refused.workspace_id = workspaces.workspace_id
                and contains(controls.sources, endpoint)
        ) as refused_source,
        exists (
            from audit.control_findings as found
            where found.workspace_id = workspaces.workspace_id and found.control = controls.control
        ) as has_findings
    from marts.dim_workspaces as workspaces
    cross join controls
    left join audit.controls as totals using (workspace_id, control)
)

select
    workspace_id,
    control,
    case
        when has_findings then 'failed'
        when compared_count > 0 then 'passed'
        when refused_source is not null then 'could not run'
        else 'nothing to compare'
    end as state,
    claim,
    case
        when compared_count > 0 then format('{:,} {}', compared_count, compared)
        when refused_source is not null then 'the API refuses ' || refused_source
    end as compared,
    if(ends_with(measure, '_usd'), 'usd', 'number') as unit,
    -- Listed runs may be fewer than all: what they lack is no difference.
    if(control = 'unlisted runs', null, ours - theirs)::decimal(38, 10) as difference
from compared
order by workspace_id, list_position(['failed', 'could not run'], state), control, measure
