-- UTC months whose bill is not known in full: the API refuses the bill by agent of a day that was
-- asked for, or gives a line without an amount that the books do not hold either.
-- Grain: workspace and month.
-- key: workspace_id, usage_month
with

days as (
    select workspace_id, utc_date
    from intermediate.int_metered_days
    where not has_agent_bill
    union all
    select workspace_id, utc_date
    from staging.stg_agent_billing_days as bills
    anti join intermediate.int_booked_charges as booked
        on booked.workspace_id = bills.workspace_id
        and booked.utc_date = bills.utc_date
        and booked.agent_id = bills.agent_id
        and booked.billed_usd is not null
    where billed_usd is null
)

select
    workspace_id,
    date_trunc('month', utc_date)::date as usage_month,
    count(distinct utc_date) as unknown_bill_count
from days
group by all
order by workspace_id, usage_month
