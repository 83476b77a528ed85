-- The cost at which the current month will end, of each line that does not rest, of each workspace
-- (agent '(all)') and of the site (both '(all)'): the sums of all workspaces, if each has a
-- forecast of the month, so that the range is on the safe side.
-- Grain: workspace or '(all)', and line or '(all)'.
with

site as (
    select
        '(all)' as workspace_id,
        '(all)' as agent_id,
        any_value(forecasts.month) as month,
        if(count(low_usd) = count(*), sum(low_usd), null) as low_usd,
        if(count(high_usd) = count(*), sum(high_usd), null) as high_usd,
        max(incomplete_day_count) as incomplete_day_count,
        sum(unknown_cost_count)::bigint as unknown_cost_count,
        max(unknown_platform_count) as unknown_platform_count
    from reports.rpt_calendars as calendars
    cross join reports.rpt_calendars as site
    left join marts.fct_forecasts as forecasts
        on forecasts.workspace_id = calendars.workspace_id
        and forecasts.agent_id = '(all)'
        and forecasts.month = date_trunc('month', site.today)
    where calendars.workspace_id <> '(all)' and site.workspace_id = '(all)'
    having count(*) > 0 and count(forecasts.month) = count(*)
)

select
    workspace_id,
    agent_id,
    forecasts.month,
    low_usd,
    high_usd,
    incomplete_day_count,
    unknown_cost_count,
    unknown_platform_count,
    if(hit_rate is null, null, test_count) as test_count,
    if(hit_rate is null, null, hit_count) as hit_count
from marts.fct_forecasts as forecasts
join reports.rpt_headlines as headlines using (workspace_id, agent_id)
join reports.rpt_calendars as calendars using (workspace_id)
where headlines.today = calendars.today and headlines.first_date is not null
union all by name
from site
