-- Journal of the month.
select * exclude (revision, is_booked)
from marts.fct_journal_lines
where booked_month = $month::date
order by all
