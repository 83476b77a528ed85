-- Runs of a workspace, by the day of their creation in the reporting time zone.
-- Grain: workspace, date.
-- key: workspace_id, date
select
    measures.workspace_id,
    measures.starts_on as date,
    measures.run_count,
    measures.succeeded_count,
    measures.failed_count,
    measures.cancelled_count,
    measures.open_count,
    measures.no_usage_count,
    measures.unknown_cost_count,
    rates.failure_rate,
    rates.failure_rate_low,
    rates.failure_rate_high,
    measures.cost_usd,
    measures.failed_cost_usd,
    measures.tokens_in,
    measures.tokens_out
from intermediate.int_run_measures as measures
join intermediate.int_failure_rates as rates using (succeeded_count, failed_count)
where measures.scope = 'workspace' and measures.period = 'day'
order by measures.workspace_id, date
