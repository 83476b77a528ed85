-- What leads from the budget of a month to its actual amount?
-- A budget knows no runs and no prices, so the way leads over the month before: the change that was
-- budgeted is taken back, and the effects since then lead to what the month came to.
select *
from marts.fct_budget_bridge
order by month desc, scope, name
