-- Whatever the rules, the rows of a line's cost center in a month add up to what it was charged, to
-- the last digit; of a closed month, to the charges that were closed. What is direct is borne by
-- the cost center at which it was charged; it is all of it where no rule shares out failed or
-- unlisted runs, and never more. Sharing makes nothing negative.
with

charged as (
    select
        usage_month,
        workspace_id,
        agent_id,
        cost_center as line_cost_center,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd
    from marts.fct_month_lines
    group by all
),

allocated as (
    select
        usage_month,
        workspace_id,
        agent_id,
        line_cost_center,
        sum(metered_cost_usd) as allocated_cost_usd,
        sum(billed_usd) as allocated_billed_usd,
        sum(metered_cost_usd) filter (source = 'direct') as direct_cost_usd,
        sum(billed_usd) filter (source = 'direct') as direct_billed_usd,
        bool_or(source = 'direct' and cost_center <> line_cost_center) as is_moved,
        bool_or(source in ('unlisted', 'failed')) as is_divided,
        min(metered_cost_usd) as least_cost_usd,
        min(billed_usd) as least_billed_usd
    from marts.fct_allocations
    group by all
),

lines as (
    select
        usage_month,
        workspace_id,
        agent_id,
        line_cost_center,
        coalesce(columns('_usd$'), 0),
        coalesce(columns('^is_'), false),
        agent_id = '(platform)' as is_platform
    from charged
    full join allocated using (usage_month, workspace_id, agent_id, line_cost_center)
)

from lines
where
    allocated_cost_usd <> metered_cost_usd
    or allocated_billed_usd <> billed_usd
    or is_moved
    or if(
        is_divided,
        abs(direct_cost_usd) > abs(metered_cost_usd) or abs(direct_billed_usd) > abs(billed_usd),
        direct_cost_usd <> if(is_platform, 0, metered_cost_usd)
        or direct_billed_usd <> if(is_platform, 0, billed_usd)
    )
    or (least_cost_usd < 0 and metered_cost_usd >= 0)
    or (least_billed_usd < 0 and billed_usd >= 0)
order by usage_month, workspace_id, agent_id, line_cost_center
