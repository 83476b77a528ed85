"""The dataset Billing Period: whether a month is open or closed in the books."""

from __future__ import annotations

from analytics.export.focus.charges import CHARGES
from analytics.export.focus.columns import ISSUER, Column, day, instant, month_after

_MONTH = "$month::date"
_CREATED = f"greatest({_MONTH}::timestamp at time zone 'UTC', first_batch_at)"

COLUMNS = (
    Column(
        "InvoiceIssuerName",
        "issuer",
        "Levain, and each provider that bills usage of the month with an own key.",
    ),
    Column("BillingPeriodStart", day(_MONTH), "Start of the month, in UTC."),
    Column(
        "BillingPeriodEnd",
        day(month_after(_MONTH)),
        "End of the month: the first instant that is no longer in it.",
    ),
    Column(
        "BillingPeriodStatus",
        "if(closed_at is null, 'Open', 'Closed')",
        "Closed once the books have the month, by audit.closings; else Open.",
    ),
    Column(
        "BillingPeriodCreated",
        instant(_CREATED),
        "Start of the month, or the first batch if that was later.",
    ),
    Column(
        "BillingPeriodLastUpdated",
        instant(f"greatest({_CREATED}, coalesce(closed_at, reopened_at), "
                "if(closed_at is null, last_batch_at, null))"),
        "When the month was closed or reopened; of an open month, the last batch if that was "
        "later.",
    ),
    Column(
        "x_EarlyReasons",
        "early_reasons",
        "Of a month that was closed early, why it might still change; else empty.",
    ),
)  # fmt: skip

QUERY = f"""
    with

    closings as (
        select
            coalesce($closed_at::timestamptz, max(closed_at) filter (status = 'closed'))
                as closed_at,
            coalesce(
                nullif(array_to_string($early_reasons::varchar[], '; '), ''),
                max(early_reasons) filter (status = 'closed')
            ) as early_reasons,
            max(reopened_at) as reopened_at
        from audit.closings
        where month = {_MONTH}
    ),

    batches as (
        select min(first_batch_at) as first_batch_at, max(last_batch_at) as last_batch_at
        from marts.dim_workspaces
    ),

    issuers as (
        select {ISSUER} as issuer
        union
        select provider
        from ({CHARGES})
        where is_own_key
    )

    select {{columns}}
    from issuers
    cross join closings
    cross join batches
    order by issuer = {ISSUER} desc, issuer
"""
