-- Invoices that the month books.
select * exclude (is_booked)
from marts.fct_invoices
where booked_month = $month::date and is_booked is not null
order by all
