-- No agent's day holds more runs than the API counts; what it counts beyond is a listing gap.
-- control: completeness
select
    workspace_id,
    agent_id,
    date,
    held_run_count as ours,
    counted_run_count as theirs,
    null::decimal(38, 10) as difference_usd,
    null::decimal(38, 10) as theirs_usd,
    provisional_count = 0 as is_closed
from intermediate.int_agent_days_compared
where agent_id is not null and has_ended and held_run_count > counted_run_count
order by workspace_id, date, agent_id
