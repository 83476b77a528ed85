-- fct_usage_hours holds all cost, tokens and requests received, to the last digit.
with

received as (
    select
        workspace_id, hour::date as utc_date, coalesce(agent_id, '(platform)') as agent_id,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from raw.usage_hours
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, hour::date as utc_date, agent_id,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from marts.fct_usage_hours
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
