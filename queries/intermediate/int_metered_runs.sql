-- Runs by the line of their usage: one without an agent is '(platform)', as the meter has it.
-- Grain: run.
-- key: workspace_id, run_id
select * replace (if(agent_id = '(none)', '(platform)', agent_id) as agent_id)
from intermediate.int_runs
