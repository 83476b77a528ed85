-- Budgets of the month, as closed.
from marts.fct_budgets
where month = $month::date
order by all
