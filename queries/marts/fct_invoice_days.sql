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
        strptime(left(load_id, 8), '%Y%m%d')::date as loaded_on,
        try_strptime(left(superseded_by_load_id, 8), '%Y%m%d')::date as superseded_on
    from staging.stg_agent_billing_versions
    where try_strptime(left(load_id, 8), '%Y%m%d') is not null
),

days as (
    select
        differing.month,
        workspace_id,
        utc_date,
        differing.difference_usd,
        sum(versions.billed_usd) filter (
            loaded_on <= issued_on and coalesce(superseded_on > issued_on, true)
        ) as billed_when_issued_usd,
        coalesce(sum(versions.billed_usd) filter (superseded_by_load_id is null), 0)
            as billed_usd,
        max(greatest(load_id, coalesce(superseded_by_load_id, load_id))) as load_id
    from versions
    join differing using (workspace_id)
    where utc_date between differing.month and last_day(differing.month)
    group by all
)

select
    days.month,
    workspace_id,
    utc_date,
    days.difference_usd::decimal(38, 10) as difference_usd,
    days.billed_when_issued_usd::decimal(38, 10) as billed_when_issued_usd,
    days.billed_usd::decimal(38, 10) as billed_usd,
    (days.billed_usd - days.billed_when_issued_usd)::decimal(38, 10) as changed_usd,
    if(reconciled.status = 'unreconciled', reconciled.unexplained_usd, 0) as unexplained_usd,
    days.load_id
from days
left join audit.reconciliation_days as reconciled using (workspace_id, utc_date)
where
    coalesce(days.billed_usd <> days.billed_when_issued_usd, days.billed_usd <> 0)
    or reconciled.status = 'unreconciled'
order by days.month, workspace_id, utc_date
