-- Allocation of the month, as closed.
select *
from marts.fct_allocations
where usage_month = $month::date
order by all
