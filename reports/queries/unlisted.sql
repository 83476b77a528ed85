-- Agents with unlisted runs, and how often their lists would have to be read.
-- Grain: workspace and agent.
select
    workspace_id,
    agent_id,
    unlisted_run_count,
    unlisted_cost_usd,
    listed_run_count,
    counted_run_count,
    shortest_span_seconds,
    collection_interval_seconds
from reports.rpt_coverage
where agent_id <> '(all)' and unlisted_run_count > 0
