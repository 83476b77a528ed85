-- Each month by cost center: its bill after what is shared has been allocated, and the expense that
-- its journal books, or would book today. Grain: workspace or '(all)', month and cost center.
select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    month,
    cost_center,
    if(bool_or(source = 'direct'), sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10)
        as direct_usd,
    if(bool_or(source <> 'direct'), sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10)
        as shared_usd,
    if(count(source) = 0, 0, sum(billed_usd))::decimal(38, 10) as billed_usd,
    sum(booked_usd)::decimal(38, 10) as booked_usd
from (
    select
        workspace_id,
        usage_month as month,
        cost_center,
        source,
        billed_usd,
        -- Unknown, not zero, in a month without a journal.
        if(usage_month in (select booked_month from marts.fct_journal_lines), 0, null)
            as booked_usd
    from marts.fct_allocations
    union all by name
    select workspace_id, booked_month as month, cost_center, booked_usd
    from marts.fct_journal_lines
    where role in ('expense', 'difference')
)
group by grouping sets ((workspace_id, month, cost_center), (month, cost_center))
