-- Median and 95th percentile of ended listed runs by week, for each line and for the workspace.
-- Today's runs are not in it. Grain: workspace, line or '(all)', and week.
-- key: workspace_id, agent_id, week
-- narrow: week
-- narrow fct_runs: date_trunc('week', date)::date
-- narrow rpt_dates: date_trunc('week', date)::date
-- column agent_id: Identifier of the line, as in dim_agents; '(all)' for the workspace.
-- column week: Monday with which the week begins.
-- column listed_run_count: Listed runs of any status.
with

-- A quantile holds a list of all values in memory: both of a measure share one.
weeks as (
    select
        runs.workspace_id,
        if(grouping(runs.agent_id) = 0, runs.agent_id, '(all)') as agent_id,
        date_trunc('week', runs.date)::date as week,
        count(*) as listed_run_count,
        quantile_disc(tokens_in, [0.5, 0.95]) filter (is_terminal) as tokens_in,
        quantile_disc(tokens_out, [0.5, 0.95]) filter (is_terminal) as tokens_out,
        quantile_disc(round(duration_seconds, 1), [0.5, 0.95]) filter (is_terminal)
            as duration_seconds
    from marts.fct_runs as runs
    join reports.rpt_dates as dates using (workspace_id, date)
    where dates.state <> 'provisional'
    group by grouping sets ((runs.workspace_id, runs.agent_id, week), (runs.workspace_id, week))
)

select
    workspace_id,
    agent_id,
    week,
    listed_run_count,
    tokens_in[1] as tokens_in_median,
    tokens_in[2] as tokens_in_p95,
    tokens_out[1] as tokens_out_median,
    tokens_out[2] as tokens_out_p95,
    duration_seconds[1] as duration_seconds_median,
    duration_seconds[2] as duration_seconds_p95
from weeks
