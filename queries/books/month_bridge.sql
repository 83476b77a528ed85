-- The bridge from the month before to the month, as closed.
select *
from marts.fct_month_bridge
where month = $month::date
order by all
