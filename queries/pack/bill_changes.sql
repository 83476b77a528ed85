-- Why the bill of a month differs from that of the month before, of all workspaces.
select
    cause,
    share,
    amount_usd,
    driver_name,
    driver_model
from reports.bill_changes
where month = $month::date and workspace_id = '(all)'
order by place
