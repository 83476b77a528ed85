-- The steps from the cost of a month's runs to its bill add up to what was metered and to what is
-- billed, which are the sums of the hourly usage and of the bill. A month with an unknown step is
-- not compared.
with

months as (
    select
        workspace_id,
        month,
        bool_and(amount_usd is not null) as is_known,
        coalesce(sum(amount_usd) filter (step_number <= 3), 0) as to_metered_usd,
        coalesce(sum(amount_usd) filter (step = 'metered'), 0) as metered_usd,
        coalesce(sum(amount_usd) filter (step_number between 4 and 5), 0) as to_cost_usd,
        coalesce(sum(amount_usd) filter (step_number between 4 and 7), 0) as to_billed_usd,
        coalesce(sum(amount_usd) filter (step = 'billed'), 0) as billed_usd
    from audit.cost_to_bill
    group by workspace_id, month
),

hours as (
    select
        workspace_id,
        (hour at time zone 'UTC')::date as utc_date,
        sum(metered_cost_usd) as hourly_usd
    from marts.fct_usage_hours
    group by all
),

usage as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        coalesce(sum(hourly_usd), 0) as hourly_usd
    from hours
    semi join audit.reconciliation_days using (workspace_id, utc_date)
    group by all
),

bills as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        coalesce(sum(metered_cost_usd), 0) as bill_cost_usd,
        coalesce(sum(billed_usd), 0) as bill_usd
    from marts.fct_billing_days
    group by all
),

compared as (
    select
        workspace_id,
        month,
        unnest(['steps to metered', 'hourly usage', 'cost by the bill', 'steps to billed', 'bill'])
            as compared_with,
        unnest([metered_usd, metered_usd, to_cost_usd, billed_usd, billed_usd]) as steps_usd,
        unnest([
            to_metered_usd,
            coalesce(hourly_usd, 0),
            coalesce(bill_cost_usd, 0),
            to_billed_usd,
            coalesce(bill_usd, 0)
        ]) as other_usd
    from months
    full join usage using (workspace_id, month)
    full join bills using (workspace_id, month)
    where coalesce(is_known, true)
)

from compared
where coalesce(steps_usd, 0) <> other_usd
order by workspace_id, month, compared_with
