-- An agent's day costs by the hourly meter what its roll-up says, and has as many tokens, but for
-- what runs that crossed midnight used on another day than that of their creation.
-- control: cut-off
-- measure: cost_usd
-- sources: analytics/agents | analytics/hourly
select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    cut_off.metered - leftover as ours,
    cut_off.metered as theirs,
    cut_off.rolled_up,
    if(measure = 'cost_usd', tolerance_usd, 0) as tolerance,
    provisional_count = 0 as is_closed
from intermediate.int_cut_off as cut_off
join intermediate.int_agent_day_sums using (workspace_id, agent_id, utc_date)
anti join (
    from intermediate.int_listed_day_comparisons where abs(ours - theirs) > tolerance
) using (workspace_id, agent_id, utc_date, measure)
where agent_id <> '(platform)' and listed_open_count = 0 and is_metered
