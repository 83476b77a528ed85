-- Each workspace's date is the sum of its lines, to the last digit.
with

left_sums as (
    select
        workspace_id,
        date,
        coalesce(
            sum(columns(
                lambda c: regexp_matches(c, '_count$|_usd$|^tokens_|^duration_ms$')
                and not regexp_matches(
                    c, 'platform_cost'
                )
            )),
            0
        )::decimal(38, 10)
    from marts.fct_workspace_days
    group by workspace_id, date
),

right_sums as (
    select
        workspace_id,
        date,
        coalesce(
            sum(columns(
                lambda c: regexp_matches(c, '_count$|_usd$|^tokens_|^duration_ms$')
                and not regexp_matches(
                    c, 'platform_cost'
                )
            )),
            0
        )::decimal(38, 10)
    from marts.fct_agent_days
    group by workspace_id, date
),

differences as (
    (select 'fct_workspace_days' as holds, * from (from left_sums except all from right_sums))
    union all
    (select 'fct_agent_days' as holds, * from (from right_sums except all from left_sums))
)

from differences
order by workspace_id, date, holds
