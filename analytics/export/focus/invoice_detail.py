"""The dataset Invoice Detail: the lines of Levain's invoices, of `finance/invoices.csv`."""

from __future__ import annotations

from analytics.export.focus.columns import CURRENCY, ISSUER, Column, day, month_after

COLUMNS = (
    Column(
        "BilledCost",
        "amount::decimal(38, 10)",
        "Amount of the line; a credit is negative. Lines of 0 are left out.",
    ),
    Column("BillingAccountId", "workspace_id", "Identifier of the workspace."),
    Column("BillingCurrency", CURRENCY, "US dollars."),
    Column("BillingPeriodStart", day("usage_month"), "Start of the month of the usage, in UTC."),
    Column(
        "BillingPeriodEnd",
        day(month_after("usage_month")),
        "End of that month: the first instant that is no longer in it.",
    ),
    Column("ChargeCategory", "category", "Usage, Credit or Tax: a row for each that is not 0."),
    Column(
        "InvoiceDetailCreated",
        day("issued_on"),
        "Start of the day on which the invoice was issued.",
    ),
    Column("InvoiceDetailDescription", "description", "Model usage, Credits or Tax."),
    Column(
        "InvoiceDetailGrain",
        "to_json({'ServiceName': 'Levain', 'SubAccountId': workspace_id})::varchar",
        "As JSON: a line is for the service and a workspace.",
    ),
    Column(
        "InvoiceDetailId",
        "invoice_id || '/' || workspace_id || '/' || strftime(usage_month, '%Y-%m') || '/' || "
        "lower(category) || if(is_first, '', strftime($month::date, '/%Y-%m'))",
        "Invoice, workspace, month and category; then the month that books what changed of it.",
    ),
    Column("InvoiceDetailLastUpdated", day("issued_on"), "As InvoiceDetailCreated."),
    Column("InvoiceId", "invoice_id", "Number of the invoice."),
    Column("InvoiceIssueDate", day("issued_on"), "Day on which the invoice was issued."),
    Column("InvoiceIssueStatus", "'Issued'", "Issued: the file holds invoices that came."),
    Column("InvoiceIssuerName", ISSUER, "Levain."),
    Column("PaymentDueDate", "null::varchar", "Empty: the file does not hold it."),
    Column(
        "PaymentTerms", "'As the invoice says'", "As the invoice says: the file does not hold them."
    ),
    Column("ReferenceInvoiceId", "invoice_id", "As InvoiceId: no line adjusts another invoice."),
)

QUERY = """
    with

    invoices as (
        select
            * exclude (credit_usd),
            -credit_usd as credit_usd,
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
            unnest([amount_usd, credit_usd, tax_usd]) as amount
        from invoices
    )

    select {columns}
    from lines
    where amount <> 0
    order by
        workspace_id, usage_month, invoice_id, list_position(['Usage', 'Credit', 'Tax'], category)
"""
