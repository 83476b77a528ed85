-- fct_runs holds all cost and tokens received, to the last digit.
with

received as (
    select
        workspace_id,
        created_at::date as utc_date,
        coalesce(agent_id, '(none)') as agent_id,
        count(*) as run_count,
        sum(columns('^cost_usd$|^tokens_'))::decimal(38, 10)
    from raw.runs
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, created_at::date as utc_date, agent_id, count(*) as run_count,
        sum(columns('^cost_usd$|^tokens_'))::decimal(38, 10)
    from marts.fct_runs
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
