-- Adjustments of charges that the month books; an account that is none is null, as in charges.
select * exclude (agent_name, is_booked) replace (nullif(account, '(none)') as account)
from marts.fct_charge_adjustments
where booked_month = $month::date
order by all
