-- UTC days on which usage of the platform's own runs, of which the API lists none, crossed
-- midnight: where it did, the differences that nothing else explains add up to nothing over the
-- days that it touches. Grain: UTC day and measure.
-- key: workspace_id, utc_date, measure
-- materialized: table
with

differences as (
    select
        workspace_id,
        utc_date,
        unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
        unnest([leftover_usd, leftover_tokens_in, leftover_tokens_out]::decimal(38, 10)[])
            as leftover,
        unnest([tolerance_usd, 0, 0]) as tolerance
    from intermediate.int_compared_days
    where agent_id = '(platform)'
),

leftovers as (
    select
        *,
        utc_date - (
            row_number() over (partition by workspace_id, measure order by utc_date)
        )::integer as stretch
    from differences
    where abs(leftover) > tolerance
)

select workspace_id, utc_date, measure
from leftovers
window same_stretch as (partition by workspace_id, measure, stretch)
qualify abs(sum(leftover) over same_stretch) <= sum(tolerance) over same_stretch
