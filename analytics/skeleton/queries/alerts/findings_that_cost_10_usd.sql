-- A finding has cost 10 US dollars
-- key: finding_id
-- severity: failure
select
    finding_id,
    sentence,
    cost_usd,
    cost_high_usd,
    next_step
from marts.fct_findings
where
    until is null
    and not is_silenced
    and coalesce(cost_high_usd, cost_usd) >= 10
order by rank
