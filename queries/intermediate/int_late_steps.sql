-- Changes of what earlier days' runs may still use, but for that of the day before: on the first of
-- a month all that earlier months carry into it, on other days what was used up the day before.
-- Grain: agent and UTC day.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

-- First added up, since a first batch finds runs of a year that may have ended yesterday.
usage as (
    select
        workspace_id,
        agent_id,
        last_day(utc_date) as month_end,
        until_date,
        sum(columns('_usd$|^tokens_'))
    from intermediate.int_late_usage
    group by all
),

carries as (
    select *, unnest(generate_series(month_end + 1, until_date, interval 1 month))::date as utc_date
    from usage
),

steps as (
    select * exclude (month_end, until_date)
    from carries
    union all by name
    select
        workspace_id,
        agent_id,
        until_date + 1 as utc_date,
        -columns('_usd$|^tokens_')
    from usage
    where until_date < last_day(until_date)
)

select
    workspace_id,
    agent_id,
    utc_date,
    sum(cost_usd) as cost_step_usd,
    sum(refund_usd) as refund_step_usd,
    sum(tokens_in)::bigint as tokens_in_step,
    sum(tokens_out)::bigint as tokens_out_step
from steps
group by workspace_id, agent_id, utc_date
