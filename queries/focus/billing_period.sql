-- Billing Period of FOCUS 1.4: whether a month is open or closed in the books, for Levain and each
-- provider that bills usage of the month with an own key. `$closed_at` and `$early_reasons` are of
-- a close that is being made; else null.
with

closings as (
    select
        coalesce($closed_at::timestamptz, max(closed_at) filter (status = 'closed')) as closed_at,
        coalesce(
            nullif(array_to_string($early_reasons::varchar[], '; '), ''),
            max(early_reasons) filter (status = 'closed')
        ) as early_reasons,
        max(reopened_at) as reopened_at
    from audit.closings
    where month = $month::date
),

batches as (
    select
        greatest($month::date::timestamp at time zone 'UTC', min(first_batch_at)) as created_at,
        max(last_batch_at) as last_batch_at
    from marts.dim_workspaces
),

issuers as (
    select 'Levain' as issuer
    union
    select InvoiceIssuerName
    from focus.cost_and_usage
)

select
    issuer as InvoiceIssuerName,
    -- Start of the month, in UTC, and the first instant no longer in it.
    strftime($month::date, '%Y-%m-%dT00:00:00Z') as BillingPeriodStart,
    strftime($month::date + interval 1 month, '%Y-%m-%dT00:00:00Z') as BillingPeriodEnd,
    -- Closed once the books have the month, by audit.closings; else Open.
    if(closed_at is null, 'Open', 'Closed') as BillingPeriodStatus,
    -- Start of the month, or the first batch if that was later.
    strftime(created_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ') as BillingPeriodCreated,
    -- When the month was closed or reopened; of an open month, the last batch if that was later.
    strftime(
        greatest(
            created_at,
            coalesce(closed_at, reopened_at),
            if(closed_at is null, last_batch_at, null)
        ) at time zone 'UTC',
        '%Y-%m-%dT%H:%M:%SZ'
    ) as BillingPeriodLastUpdated,
    -- Of a month that was closed early, why it might still change; else empty.
    early_reasons as x_EarlyReasons
from issuers
cross join closings
cross join batches
order by issuer = 'Levain' desc, issuer
