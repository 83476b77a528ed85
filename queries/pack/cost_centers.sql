-- A month by cost center: its bill, of its own agents and its parts of what is shared, and the
-- expense that its journal books.
select
    cost_center,
    sum(booked_usd)::decimal(38, 10) as booked_usd,
    if(count(source) = 0, 0, sum(billed_usd))::decimal(38, 10) as billed_usd,
    if(bool_or(source = 'direct'), sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10)
        as direct_usd,
    if(bool_or(source <> 'direct'), sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10)
        as shared_usd,
    if(count(source) = 0, 0, sum(metered_cost_usd))::decimal(38, 10) as metered_cost_usd
from (
    select
        cost_center,
        source,
        billed_usd,
        metered_cost_usd,
        -- Unknown, not zero, in a month without a journal.
        if(usage_month in (select booked_month from marts.fct_journal_lines), 0, null)
            as booked_usd
    from marts.fct_allocations
    where usage_month = $month::date
    union all by name
    select cost_center, booked_usd
    from marts.fct_journal_lines
    where booked_month = $month::date and role in ('expense', 'difference')
)
group by cost_center
order by billed_usd desc, cost_center
