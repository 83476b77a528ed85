-- Accruals at the end of the month, and what else it books of earlier ones.
select * exclude (entry_usd, is_booked)
from marts.fct_accruals
where booked_month = $month::date
order by all
