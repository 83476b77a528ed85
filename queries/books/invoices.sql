-- Invoices that the month books.
select * exclude (is_booked)
from marts.fct_invoices
where booked_month = $month::date and status <> 'before_the_books'
order by all
