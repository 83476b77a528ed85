-- Median and 95th percentile of what listed runs that ended used, by week from Monday; the line
-- '(all)' is the whole workspace. Grain: workspace, line and week.
-- key: workspace_id, agent_id, week
-- column week: Monday of the week in which the runs were created.
-- column listed_run_count: Listed runs that ended.
with

runs as (
    select
        unnest([agent_id, '(all)']) as line,
        *
    from marts.fct_runs
    where is_terminal
)

select
    workspace_id,
    line as agent_id,
    date_trunc('week', date)::date as week,
    count(*) as listed_run_count,
    quantile_disc(tokens_in, 0.5) as tokens_in_median,
    quantile_disc(tokens_in, 0.95) as tokens_in_p95,
    quantile_disc(tokens_out, 0.5) as tokens_out_median,
    quantile_disc(tokens_out, 0.95) as tokens_out_p95,
    quantile_disc(round(duration_seconds, 1), 0.5) as duration_seconds_median,
    quantile_disc(round(duration_seconds, 1), 0.95) as duration_seconds_p95,
    quantile_disc(round(queue_seconds, 1), 0.5) as queue_seconds_median,
    quantile_disc(round(queue_seconds, 1), 0.95) as queue_seconds_p95
from runs
group by all
order by workspace_id, week, agent_id
