-- UTC days on which usage of the platform's own runs, of which the API lists none, crossed
-- midnight: where it did, the differences that nothing else explains add up to nothing over the
-- days that it touches. Grain: UTC day.
-- key: workspace_id, utc_date
-- materialized: table
with

leftovers as (
    select
        workspace_id,
        utc_date,
        leftover_usd,
        tolerance_usd,
        utc_date - (
            row_number() over (partition by workspace_id order by utc_date)
        )::integer as stretch
    from intermediate.int_compared_days
    where agent_id = '(platform)' and abs(leftover_usd) > tolerance_usd
)

select workspace_id, utc_date
from leftovers
window same_stretch as (partition by workspace_id, stretch)
qualify abs(sum(leftover_usd) over same_stretch) <= sum(tolerance_usd) over same_stretch
