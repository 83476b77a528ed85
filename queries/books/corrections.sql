-- Corrections of earlier closed months that the month books.
select * exclude (is_booked)
from marts.fct_charge_corrections
where booked_month = $month::date
order by all
