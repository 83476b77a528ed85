-- From the bill of the month before to that of the month: of all workspaces, or of one.
select
    strftime(month, '%Y-%m') as month,
    strftime(previous_month, '%Y-%m') as previous_month,
    step,
    amount_usd,
    comment,
    driver_name,
    driver_model,
    driver_usd,
    is_total
from reports.rpt_month_bridge
where
    month = $month::date
    and workspace_id = if(
        len($workspace_ids) = (select count(*) from marts.dim_workspaces),
        '(all)',
        $workspace_ids[1]
    )
order by step_number
