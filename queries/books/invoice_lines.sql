-- Invoices that the month books, by cost center and account.
select * exclude (is_booked)
from marts.fct_invoice_lines
where booked_month = $month::date
order by all
