-- Corrections of earlier closed months that the month books.
select * exclude (is_booked)
from marts.fct_charge_adjustments
where booked_month = $month::date
order by all
