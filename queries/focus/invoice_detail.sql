-- Invoice Detail of FOCUS 1.4: the lines of Levain's invoices, of finance/invoices.csv, which the
-- month books. An invoice has a row for each of usage, credit and tax that is not 0.
with

invoices as (
    select
        *,
        row_number() over (
            partition by usage_month, workspace_id, invoice_id order by booked_month
        ) = 1 as is_first
    from marts.fct_invoices
    where invoice_id <> '(none)'
    qualify booked_month = $month::date
),

lines as (
    select
        *,
        unnest(['Usage', 'Credit', 'Tax']) as category,
        unnest(['Model usage', 'Credits', 'Tax']) as description,
        unnest([amount_usd, -credit_usd, tax_usd]) as amount
    from invoices
)

select
    -- Amount of the line; a credit is negative.
    amount::decimal(38, 10) as BilledCost,
    -- Identifier of the workspace.
    workspace_id as BillingAccountId,
    'USD' as BillingCurrency,
    -- Start of the month of the usage, in UTC, and the first instant no longer in it.
    strftime(usage_month, '%Y-%m-%dT00:00:00Z') as BillingPeriodStart,
    strftime(usage_month + interval 1 month, '%Y-%m-%dT00:00:00Z') as BillingPeriodEnd,
    category as ChargeCategory,
    -- Start of the day on which the invoice was issued.
    strftime(issued_on, '%Y-%m-%dT00:00:00Z') as InvoiceDetailCreated,
    description as InvoiceDetailDescription,
    -- A line is for the service and a workspace.
    to_json({'ServiceName': 'Levain', 'SubAccountId': workspace_id})::varchar
        as InvoiceDetailGrain,
    -- Invoice, workspace, month and category; then the month that books what changed of it.
    invoice_id || '/' || workspace_id || '/' || strftime(usage_month, '%Y-%m') || '/'
    || lower(category) || if(is_first, '', strftime($month::date, '/%Y-%m')) as InvoiceDetailId,
    strftime(issued_on, '%Y-%m-%dT00:00:00Z') as InvoiceDetailLastUpdated,
    invoice_id as InvoiceId,
    strftime(issued_on, '%Y-%m-%dT00:00:00Z') as InvoiceIssueDate,
    -- The file holds invoices that came.
    'Issued' as InvoiceIssueStatus,
    'Levain' as InvoiceIssuerName,
    -- The file holds neither a day nor terms of payment.
    null::varchar as PaymentDueDate,
    'As the invoice says' as PaymentTerms,
    -- As InvoiceId: no line adjusts another invoice.
    invoice_id as ReferenceInvoiceId
from lines
where amount <> 0
order by
    workspace_id, usage_month, invoice_id, list_position(['Usage', 'Credit', 'Tax'], category)
