-- Every check of the published figures: its claim, and its finding if it failed.
select
    check_name,
    is_ok,
    claim,
    finding,
    violation_count,
    coalesce(is_blocking, false) as is_blocking,
    control,
    sources,
    checked_at
from audit.check_results
order by is_ok, control nulls last, check_name
