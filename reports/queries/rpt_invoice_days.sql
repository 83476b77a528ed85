-- UTC days that may explain why an invoice differs from the bill.
-- Grain: workspace, month and UTC day.
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
