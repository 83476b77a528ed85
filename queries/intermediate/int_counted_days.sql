-- UTC days whose runs the API was asked to count, of each agent. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
select
    workspace_id,
    agent_id,
    unnest(generate_series(first_date, end_date - 1, interval 1 day))::date as utc_date
from intermediate.int_counted_spans
