-- UTC days that may explain why an invoice differs from the bill: those whose bill changed after
-- the last invoice of the month was issued, and those whose usage is not explained. Compared with
-- today is the bill when the day of issue was over, or at the first reading of the day since it was
-- over, if that came later: what was read for the first time has not changed. A closed month is
-- compared as it is today, with the adjustments booked since. A bill with a line of unknown amount
-- is unknown.
-- Grain: month, workspace and UTC day.
-- key: usage_month, workspace_id, utc_date
-- materialized: table
with

differing as (
    select
        usage_month,
        workspace_id,
        months.difference_usd as month_difference_usd,
        max(invoices.issued_on) as issued_on
    from intermediate.int_invoice_months as months
    join marts.fct_invoices as invoices using (usage_month, workspace_id)
    where months.status = 'differs'
    group by all
),

differing_days as (
    select
        *,
        unnest(generate_series(usage_month, last_day(usage_month), interval 1 day))::date
            as utc_date
    from differing
),

-- The first load of each day that began after the day was over, and read its bill.
readings as (
    select days.workspace_id, days.utc_date, min(requests.load_id) as load_id
    from differing_days as days
    join ledger.requests as requests
        on requests.workspace_id = days.workspace_id
        and requests.source = 'agent_billing_days'
        and requests.status = 200
        and days.utc_date >= requests.window_start
        and days.utc_date < requests.window_end
        and left(requests.load_id, 8) > strftime(days.utc_date, '%Y%m%d')
    group by all
),

-- Load identifiers begin with the time of their batch, so that they compare with days.
compared as (
    select
        days.*,
        greatest(strftime(issued_on + 1, '%Y%m%d'), readings.load_id) as until_load_id
    from differing_days as days
    join readings using (workspace_id, utc_date)
),

versions as (
    select
        compared.usage_month,
        workspace_id,
        utc_date,
        compared.month_difference_usd,
        versions.billed_usd,
        versions.load_id <= until_load_id and coalesce(superseded_by_load_id > until_load_id, true)
            as is_of_issue,
        superseded_by_load_id is null as is_of_today,
        greatest(versions.load_id, coalesce(superseded_by_load_id, versions.load_id)) as load_id
    from compared
    join staging.agent_billing_days as versions using (workspace_id, utc_date)
),

days as (
    select
        usage_month,
        workspace_id,
        utc_date,
        month_difference_usd,
        if(
            bool_or(is_of_issue and billed_usd is null),
            null,
            coalesce(sum(billed_usd) filter (is_of_issue), 0)
        ) as billed_when_issued_usd,
        if(
            bool_or(is_of_today and billed_usd is null),
            null,
            coalesce(sum(billed_usd) filter (is_of_today), 0)
        ) as billed_usd,
        max(load_id) as load_id
    from versions
    group by usage_month, workspace_id, utc_date, month_difference_usd
),

unreconciled as (
    select usage_month, workspace_id, utc_date, days.month_difference_usd, unexplained_usd
    from differing_days as days
    join audit.reconciliation_days using (workspace_id, utc_date)
    where status = 'unreconciled'
)

select
    usage_month,
    workspace_id,
    utc_date,
    coalesce(days.month_difference_usd, unreconciled.month_difference_usd)::decimal(38, 10)
        as month_difference_usd,
    days.billed_when_issued_usd::decimal(38, 10) as billed_when_issued_usd,
    days.billed_usd::decimal(38, 10) as billed_usd,
    (days.billed_usd - days.billed_when_issued_usd)::decimal(38, 10) as changed_usd,
    coalesce(unreconciled.unexplained_usd, 0) as unexplained_usd,
    days.load_id
from days
full join unreconciled using (usage_month, workspace_id, utc_date)
where
    days.billed_usd is distinct from days.billed_when_issued_usd
    or unreconciled.utc_date is not null
order by usage_month, workspace_id, utc_date
