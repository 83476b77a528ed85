-- From the cost of runs to the bill, by UTC month. Steps 1 to 3 add up to step 4, what the API
-- metered by the hour, and steps 4 to 7 to step 8, what it bills. Where the API refuses a meter for
-- a day of the month, or gives a line of the bill without an amount, the steps that need it are
-- unknown.
-- Grain: workspace, UTC month and step.
-- key: workspace_id, month, step_number
-- column month: First day of the calendar month in UTC.
-- column step_number: Place of the step, from 1; 4 is a subtotal, and 8 the total.
-- column step: Name of the step.
-- column amount_usd: Signed amount in US dollars; null where the API does not give all of it.
-- column comment: Meaning of the step.
with

metered as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        if(
            bool_and(days.has_rollups and days.has_platform),
            sum(ended_cost_usd + open_cost_usd + platform_cost_usd + unlisted_cost_usd),
            null
        ) as run_usd,
        if(bool_and(unexplained_usd is not null), sum(timing_difference_usd), null)
            as timing_difference_usd,
        if(bool_and(unexplained_usd is not null), sum(unexplained_usd), null) as unexplained_usd,
        if(bool_and(days.has_hours), sum(metered_cost_usd), null) as metered_usd,
        bool_and(days.has_bill) as has_bill
    from audit.reconciliation_days
    join intermediate.int_metered_days as days using (workspace_id, utc_date)
    group by all
),

bills as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        if(count(metered_cost_usd) = count(*), sum(metered_cost_usd), null) as cost_usd,
        if(count(own_key_usd) = count(*), sum(own_key_usd), null) as own_key_usd,
        if(count(billed_usd) = count(*), sum(billed_usd), null) as billed_usd
    from marts.fct_billing_days
    group by all
),

months as (
    select
        workspace_id,
        month,
        if(
            metered.month is null,
            0,
            columns('^(run|timing_difference|unexplained|metered)_usd$')
        ) as '\0',
        -- Of a month that was not metered, the bill is all that the API gives of it.
        case
            when metered.month is null then columns('^(cost|own_key|billed)_usd$')
            when has_bill then if(bills.month is null, 0, columns('^(cost|own_key|billed)_usd$'))
        end as '\0'
    from metered
    full join bills using (workspace_id, month)
),

steps as (
    select
        workspace_id,
        month,
        unnest([
            {
                step_number: 1,
                step: 'cost of runs',
                amount_usd: run_usd,
                comment: 'All runs and the platform, by UTC day of creation.'
            },
            {
                step_number: 2,
                step: 'timing difference',
                amount_usd: timing_difference_usd,
                comment: 'Metered on another UTC day than that of creation.'
            },
            {
                step_number: 3,
                step: 'unexplained',
                amount_usd: unexplained_usd,
                comment: 'Residual: metered less steps 1 and 2.'
            },
            {
                step_number: 4,
                step: 'metered',
                amount_usd: metered_usd,
                comment: 'Subtotal: cost by the hourly meter.'
            },
            {
                step_number: 5,
                step: 'meter to bill',
                amount_usd: cost_usd - metered_usd,
                comment: 'Cost by the bill less cost by the hourly meter.'
            },
            {
                step_number: 6,
                step: 'surcharge',
                amount_usd: billed_usd - cost_usd + own_key_usd,
                comment: 'Billed above list price.'
            },
            {
                step_number: 7,
                step: 'own-key cost',
                amount_usd: -own_key_usd,
                comment: 'Usage of keys of the workspace''s own, subtracted.'
            },
            {
                step_number: 8,
                step: 'billed',
                amount_usd: billed_usd,
                comment: 'Total: charged by Levain.'
            }
        ], recursive := true)
    from months
)

select
    workspace_id,
    month,
    step_number::bigint as step_number,
    step,
    amount_usd::decimal(38, 10) as amount_usd,
    comment
from steps
order by workspace_id, month, step_number
