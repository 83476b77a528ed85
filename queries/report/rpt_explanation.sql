-- The parts of the metered cost of all UTC days of which none is unknown: parts 1 to 6 add up to
-- part 7.
-- Grain: workspace and part.
-- key: workspace_id, part_number
-- column amount_usd: Signed amount in US dollars.
-- column comment: Meaning of the part.
-- column first_date: First UTC day of the sum.
-- column last_date: Last UTC day of the sum.
with

totals as (
    select
        workspace_id,
        min(utc_date) as first_date,
        max(utc_date) as last_date,
        sum(run_cost_usd) as run_usd,
        sum(open_cost_usd) as open_usd,
        sum(platform_cost_usd) as platform_usd,
        sum(unlisted_cost_usd) as unlisted_usd,
        sum(timing_difference_usd) as timing_usd,
        sum(unexplained_usd) as unexplained_usd,
        sum(metered_cost_usd) as metered_usd
    from audit.reconciliation_days
    where unexplained_usd is not null
    group by workspace_id
),

parts as (
    select
        workspace_id,
        first_date,
        last_date,
        unnest([
            {
                part_number: 1,
                part: 'listed runs',
                amount_usd: run_usd,
                comment: 'cost of those that have ended'
            },
            {
                part_number: 2,
                part: 'open runs',
                amount_usd: open_usd,
                comment: 'cost of listed runs that have not ended'
            },
            {
                part_number: 3,
                part: 'platform',
                amount_usd: platform_usd,
                comment: 'the platform''s own agents'
            },
            {
                part_number: 4,
                part: 'unlisted runs',
                amount_usd: unlisted_usd,
                comment: 'runs that the API reports and no list showed'
            },
            {
                part_number: 5,
                part: 'timing difference',
                amount_usd: timing_usd,
                comment: 'metered on another UTC day than the run''s creation'
            },
            {
                part_number: 6,
                part: 'unexplained',
                amount_usd: unexplained_usd,
                comment: 'residual: metered less all parts above'
            },
            {
                part_number: 7,
                part: 'metered',
                amount_usd: metered_usd,
                comment: 'cost by the hourly meter'
            }
        ], recursive := true)
    from totals
)

select
    workspace_id,
    part_number::bigint as part_number,
    part,
    amount_usd::decimal(38, 10) as amount_usd,
    comment,
    first_date,
    last_date
from parts
order by workspace_id, part_number
