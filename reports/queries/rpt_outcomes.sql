-- Outcomes beside all cost of their agents; a month of which the file has no day is unknown, but of
-- outcomes whose agent nobody knows.
-- Grain: workspace or '(all)', agent, month and outcome.
with

outcomes as (
    from marts.fct_outcomes
    union all by name
    select workspace_id, agent_id, agent_name, month, outcome || ': unknown' as outcome, cost_usd
    from marts.fct_agent_months
    join (
        select distinct workspace_id, agent_id, outcome
        from marts.fct_outcomes
    ) using (workspace_id, agent_id)
    anti join marts.fct_outcomes using (workspace_id, agent_id, month, outcome)
    where agent_id <> '(none)'
)

select
    unnest([workspace_id, '(all)']) as workspace_id,
    outcomes.* exclude (workspace_id),
    month < date_trunc('month', today) as is_over
from outcomes
join reports.rpt_calendars using (workspace_id)
where month <= today
