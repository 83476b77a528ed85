-- Journal of the month.
select * exclude (is_booked)
from marts.fct_journal_lines
where month = $month::date
order by all
