-- Lines of the month, as closed: amounts of the meter, and beside them the runs created in it. Days
-- of unknown bill are those of the charges.
select * exclude (unknown_bill_count) replace ($revision::integer as revision)
from marts.fct_month_lines
where usage_month = $month::date
order by workspace_id, agent_id, owner, cost_center
