-- From the cost of runs to the bill, by UTC month. Steps 1 to 3 add up to step 4, and steps 4 to 7
-- to step 8. Grain: workspace, UTC month and step.
with

open_months as (
    select distinct workspace_id, date_trunc('month', utc_date)::date as month
    from audit.reconciliation_days
    where status = 'open'
)

select
    steps.workspace_id,
    steps.month,
    steps.step_number,
    steps.step,
    steps.amount_usd,
    steps.comment,
    if(open_months.month is null, 'final', 'provisional') as state
from audit.cost_to_bill as steps
left join open_months using (workspace_id, month)
order by steps.workspace_id, steps.month, steps.step_number
