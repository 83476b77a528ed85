-- UTC days that may explain why an invoice differs from the bill: those whose bill changed after
-- the last invoice of the month was issued, and those whose usage is not explained.
-- Grain: month, workspace and UTC day.
-- key: month, workspace_id, utc_date
-- ref workspace_id: dim_workspaces
-- column month: First day of the UTC month of the usage.
-- column difference_usd: Invoiced less billed in US dollars, of all the month.
-- column billed_when_issued_usd: Bill of the day in US dollars when the invoice was issued; null
-- where it was not known then.
-- column billed_usd: Bill of the day in US dollars today.
-- column changed_usd: Bill of today less that of when the invoice was issued, in US dollars; null
-- where that was not known.
-- column unexplained_usd: Metered usage of the day in US dollars that is not explained; 0 of a day
-- that is not unreconciled.
-- column load_id: The last load that changed the bill of the day.
with

differing as (
    select
        month,
        workspace_id,
        arg_max(difference_usd, booked_month) as difference_usd,
        max(issued_on) as issued_on
    from marts.fct_invoices
    group by all
    having arg_max(state, booked_month) = 'differs'
),

versions as (
    select
        *,
        try_strptime(left(load_id, 8), '%Y%m%d')::date as loaded_on,
        try_strptime(left(superseded_by_load_id, 8), '%Y%m%d')::date as superseded_on
    from staging.stg_agent_billing_versions
),

days as (
    select
        differing.month,
        workspace_id,
        versions.utc_date,
        differing.difference_usd,
        sum(versions.billed_usd) filter (
            coalesce(loaded_on <= issued_on, true)
            and (superseded_by_load_id is null or coalesce(superseded_on > issued_on, false))
        ) as billed_when_issued_usd,
        coalesce(sum(versions.billed_usd) filter (superseded_by_load_id is null), 0)
            as billed_usd,
        max(greatest(load_id, coalesce(superseded_by_load_id, load_id))) as load_id
    from differing
    join versions using (workspace_id)
    where versions.utc_date between differing.month and last_day(differing.month)
    group by all
),

unreconciled as (
    select differing.month, workspace_id, utc_date, differing.difference_usd, unexplained_usd
    from differing
    join audit.reconciliation_days using (workspace_id)
    where
        utc_date between differing.month and last_day(differing.month)
        and status = 'unreconciled'
)

select
    month,
    workspace_id,
    utc_date,
    coalesce(days.difference_usd, unreconciled.difference_usd)::decimal(38, 10) as difference_usd,
    days.billed_when_issued_usd::decimal(38, 10) as billed_when_issued_usd,
    days.billed_usd::decimal(38, 10) as billed_usd,
    (days.billed_usd - days.billed_when_issued_usd)::decimal(38, 10) as changed_usd,
    coalesce(unreconciled.unexplained_usd, 0) as unexplained_usd,
    days.load_id
from days
full join unreconciled using (month, workspace_id, utc_date)
where
    coalesce(days.billed_usd <> days.billed_when_issued_usd, days.billed_usd <> 0, false)
    or unreconciled.utc_date is not null
order by month, workspace_id, utc_date
