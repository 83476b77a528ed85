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
                    c, 'failed_cost_high|platform_cost'
                )
            )),
            0
        )::decimal(38, 10),
        if(count(*) = count(failed_cost_high_usd), sum(failed_cost_high_usd), null)
        ::decimal(38, 10) as failed_cost_high_usd
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
                    c, 'failed_cost_high|platform_cost'
                )
            )),
            0
        )::decimal(38, 10),
        if(count(*) = count(failed_cost_high_usd), sum(failed_cost_high_usd), null)
        ::decimal(38, 10) as failed_cost_high_usd
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
