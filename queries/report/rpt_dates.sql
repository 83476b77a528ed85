-- How much of each date was read, of each workspace and of the site, up to today.
-- Of the site a date is as complete as of the workspace that has read the least of it; what lies
-- before the first complete date of a workspace does not count for it.
-- Grain: workspace or '(all)', and date.
-- key: workspace_id, date
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column date: Calendar day in the reporting time zone.
-- column has_agent_bill: False if the API refuses the bill by agent of that UTC day; of the site,
-- that of any workspace.
-- column state: complete, incomplete, or provisional: not over in the reporting time zone or UTC.
with

own as (
    select
        workspace_id,
        date,
        date >= calendars.first_date as is_counted,
        case
            when date > calendars.yesterday then 'provisional'
            when is_complete then 'complete'
            else 'incomplete'
        end as state,
        has_agent_bill
    from marts.dim_dates as dates
    join reports.rpt_calendars as calendars using (workspace_id)
    where date <= calendars.today
),

site as (
    from reports.rpt_calendars
    where workspace_id = '(all)'
),

-- Dates that a workspace, whose last batch is older than that of another, has yet to read. One that
-- was not read for a month is gone.
unread as (
    select
        calendars.workspace_id,
        unnest(
            generate_series(calendars.yesterday + 1, site.today, interval 1 day)
        )::date as date,
        true as is_counted,
        'incomplete' as state,
        true as has_agent_bill
    from reports.rpt_calendars as calendars
    cross join site
    where
        calendars.yesterday < site.yesterday
        and calendars.today >= site.today - interval 1 month
),

parts as (
    from own
    union all by name
    from unread
)

select workspace_id, date, state, has_agent_bill
from own
union all
select
    '(all)' as workspace_id,
    parts.date,
    case
        when parts.date > any_value(site.yesterday) then 'provisional'
        when bool_or(is_counted and state = 'incomplete') then 'incomplete'
        when bool_or(is_counted) then 'complete'
        else 'incomplete'
    end as state,
    bool_and(has_agent_bill) as has_agent_bill
from parts
cross join site
group by parts.date
order by workspace_id, date
