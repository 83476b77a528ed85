-- Waste by reason of the last month that is over; while none that was read is, of the month so far.
-- Grain: workspace, agent and reason.
select
    workspace_id, agent_id, month, reason, listed_run_count,
    wasted_usd as wasted_cost_usd,
    (wasted_high_usd - wasted_usd)::decimal(38, 10) as wasted_cost_more_usd,
    (wasted_high_usd is null)::bigint as wasted_cost_open_count
from marts.fct_waste
join reports.rpt_calendars using (workspace_id)
where month = greatest(
    date_trunc('month', today) - interval 1 month,
    date_trunc('month', first_date)
)
