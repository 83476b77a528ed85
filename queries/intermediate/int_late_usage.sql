-- What the listed runs of an agent's UTC day cost that had not ended with it, and until when their
-- usage may be metered: until a run's last request, or where its requests are not read, or lack
-- some of its cost, until it ended or was seen, whichever came last. A run was open if it was so
-- when it was seen, or had ended within the hour before: sums and meters may be of other moments.
-- A run that has ended without an end was not open.
-- Usage without an agent stands under '(platform)', as in the meter.
-- Grain: agent, UTC day, last day, and whether the runs were open.
-- key: workspace_id, agent_id, utc_date, until_date, is_open
-- not_null: is_open
-- materialized: table
-- narrow: utc_date
-- narrow run_costs: by run_id
with

requests as (
    select
        workspace_id,
        run_id,
        max((ended_at at time zone 'UTC')::date) as last_date,
        sum(cost_usd) as cost_usd
    from staging.run_costs
    where is_current
    group by workspace_id, run_id
),

runs as (
    select
        runs.workspace_id,
        runs.agent_id,
        runs.utc_date,
        not is_terminal or coalesce(finished_at > seen_at - interval 1 hour, false) as is_open,
        (seen_at at time zone 'UTC')::date as seen_date,
        case
            when is_open then seen_date + 1
            when runs.cost_usd - requests.cost_usd < 0.000000001 then last_date
            else greatest(seen_date, (finished_at at time zone 'UTC')::date)
        end as until_date,
        coalesce(runs.cost_usd, requests.cost_usd) as cost_usd,
        runs.tokens_in,
        runs.tokens_out
    from intermediate.int_metered_runs as runs
    left join requests using (workspace_id, run_id)
)

select
    workspace_id,
    agent_id,
    utc_date,
    until_date,
    is_open,
    coalesce(sum(cost_usd), 0) as cost_usd,
    coalesce(sum(tokens_in), 0)::bigint as tokens_in,
    coalesce(sum(tokens_out), 0)::bigint as tokens_out
from runs
where until_date > utc_date
group by workspace_id, agent_id, utc_date, until_date, is_open
