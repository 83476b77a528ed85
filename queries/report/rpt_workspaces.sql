-- The headline figures of each workspace beside those of the others: of one whose last batch is a
-- week or more before that of the site, or in another month, the figures of these days are unknown.
-- Grain: workspace.
-- key: workspace_id
-- column recent_cost_usd: Cost in US dollars of the last 30 days.
-- column before_recent_cost_usd: Cost in US dollars of the 30 days before, as in rpt_headlines.
-- column month_cost_usd: Cost in US dollars of the month of the site's last batch, so far.
-- column last_month_cost_usd: Cost in US dollars of the month before.
-- column recent_failed_count: Failed runs of the last 30 days.
-- column recent_finished_count: Finished runs of the last 30 days; null if some outcome is unknown.
-- column trend: Cost in US dollars of the last 13 weeks.
with

site as (
    select
        date_trunc('month', today)::date as month,
        (date_trunc('month', today) - interval 1 month)::date as last_month
    from reports.rpt_calendars
    where workspace_id = '(all)'
)

select
    workspace_id,
    agent_count,
    if(is_current, recent_cost_usd, null) as recent_cost_usd,
    if(is_current, before_recent_cost_usd, null) as before_recent_cost_usd,
    if(headlines.month = site.month, month_cost_usd, null) as month_cost_usd,
    case headlines.month
        when site.month then last_month_cost_usd
        when site.last_month then month_cost_usd
    end as last_month_cost_usd,
    if(is_current, recent_failed_count, null) as recent_failed_count,
    if(is_current, recent_finished_count, null) as recent_finished_count,
    if(is_current, trend, null) as trend
from reports.rpt_headlines as headlines
join reports.rpt_calendars using (workspace_id)
cross join site
where workspace_id <> '(all)' and agent_id = '(all)'
order by workspace_id
