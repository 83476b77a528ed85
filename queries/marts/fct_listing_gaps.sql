-- Runs that the API counts but lists no more, and that no batch ever saw: they are in no run table.
-- What they cost is the API's own sum for the agent and day, less the runs that are held.
-- Grain: workspace, agent and UTC day.
-- key: workspace_id, agent_id, date
-- column is_final: True once no run of the agent's day is open or provisional.
-- column date: Calendar day in UTC, of the runs' creation.
select
    workspace_id,
    agent_id,
    date,
    counted_run_count,
    held_run_count,
    counted_run_count - held_run_count as missing_run_count,
    (summed_cost_usd - run_cost_usd - open_cost_usd)::decimal(38, 10) as missing_cost_usd,
    provisional_count = 0 as is_final
from intermediate.int_agent_days_compared
where agent_id is not null and has_ended and counted_run_count > held_run_count
order by workspace_id, agent_id, date
