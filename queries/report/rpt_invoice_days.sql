-- UTC days that may explain why an invoice differs from the bill.
-- Grain: workspace, month and UTC day.
-- key: workspace_id, month, utc_date
-- column month: First day of the UTC month of the usage.
-- column billed_when_issued_usd: Bill of the day in US dollars when the invoice was issued,
-- or when the day was first read whole, if that was later; null where it was not yet, or unknown.
-- column billed_usd: Bill of the day in US dollars today; null where it is not known.
-- column changed_usd: Bill of today less that one in US dollars; null where it is not known.
-- column unexplained_usd: Metered usage in US dollars that an unreconciled day does not explain.
select
    workspace_id,
    usage_month as month,
    utc_date,
    billed_when_issued_usd,
    billed_usd,
    changed_usd,
    unexplained_usd
from intermediate.int_invoice_days
order by workspace_id, month, abs(changed_usd) desc, utc_date
