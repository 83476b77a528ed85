-- Every check of the last batch: those that failed first, then controls against the API.
-- Grain: check.
select
    check_name,
    claim,
    control,
    sources,
    if(is_ok, 'passed', 'failed') as state,
    violation_count
from audit.check_results
order by is_ok, control nulls last, check_name
