-- fct_platform_agent_days holds all runs, cost, bills and tokens received, to the last digit.
with

received as (
    select
        workspace_id, date as utc_date, platform_agent_id,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from raw.platform_rollups
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, utc_date, platform_agent_id,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from marts.fct_platform_agent_days
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
