-- From the bill of the month before to that of the month, of all workspaces. The first step names
-- those that are left out.
select
    step,
    amount_usd,
    comment
    || if(
        step_number = 1 and left_out_names is not null,
        format(
            ' Not among them, as a month was not read whole, or its bill is unknown: {}.',
            left_out_names
        ),
        ''
    ) as comment,
    driver_name,
    driver_model,
    is_total
from reports.rpt_month_bridge
where month = $month::date and workspace_id = '(all)'
order by step_number
