-- What the API metered on a UTC day, taken apart: listed runs, open runs, the platform's own runs,
-- unlisted runs, and the timing difference of runs that crossed midnight. What is left is
-- unexplained. The part of a meter that the API refuses, or gives without a cost, is unknown;
-- without one that the books are kept by, a day stays pending. The bill is unknown where that of a
-- provider is. Grain: workspace and UTC day.
-- key: workspace_id, utc_date
-- column unexplained_by_agent_usd: Unexplained cost in US dollars, each agent's without its sign.
-- column status: open (today, or provisional runs), pending (unexplained within 8 days, or a meter
-- refused), or [un]reconciled.
with

agent_days as (
    select
        workspace_id,
        utc_date,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(run_cost_usd) as ended_cost_usd,
        sum(open_cost_usd) as open_cost_usd,
        sum(platform_cost_usd) as platform_cost_usd,
        sum(unlisted_cost_usd) as unlisted_cost_usd,
        sum(timing_difference_usd) as timing_difference_usd,
        sum(unexplained_usd) as unexplained_usd,
        sum(abs(unexplained_usd)) as unexplained_by_agent_usd,
        bool_or(abs(unexplained_usd) > tolerance_usd) as is_unexplained,
        sum(provisional_count)::bigint as provisional_count,
        bool_or(lacks_sums) as lacks_sums,
        bool_or(lacks_sums and metered_cost_usd is null) as lacks_hours
    from intermediate.int_agent_days_vs_api
    group by workspace_id, utc_date
),

known as (
    select
        days.*,
        agent_days.* exclude (workspace_id, utc_date),
        has_hours and not coalesce(lacks_hours, false) as knows_hours,
        has_hours and has_rollups and has_platform and not coalesce(lacks_sums, false)
            as is_compared
    from intermediate.int_metered_days as days
    left join agent_days using (workspace_id, utc_date)
),

bills as (
    select
        workspace_id,
        utc_date,
        if(count(billed_usd) = count(*), sum(billed_usd), null) as billed_usd
    from staging.billing_days
    where is_current
    group by workspace_id, utc_date
)

select
    days.workspace_id,
    days.utc_date,
    if(knows_hours, coalesce(days.metered_cost_usd, 0), null)::decimal(38, 10)
        as metered_cost_usd,
    coalesce(columns('^(ended|open)_cost_usd$'), 0)::decimal(38, 10),
    if(days.has_platform, coalesce(days.platform_cost_usd, 0), null)::decimal(38, 10)
        as platform_cost_usd,
    if(days.has_rollups, coalesce(days.unlisted_cost_usd, 0), null)::decimal(38, 10)
        as unlisted_cost_usd,
    if(
        is_compared,
        coalesce(columns('^(timing_difference|unexplained(_by_agent)?)_usd$'), 0),
        null
    )::decimal(38, 10),
    bills.billed_usd,
    case
        when not days.has_ended or coalesce(days.provisional_count, 0) > 0
            then 'open'
        when not (days.has_hours and days.has_rollups and days.has_bill and days.has_agent_bill)
            then 'pending'
        when days.lacks_sums then 'pending'
        when not coalesce(days.is_unexplained, false) then 'reconciled'
        when days.is_recent then 'pending'
        else 'unreconciled'
    end as status
from known as days
left join bills using (workspace_id, utc_date)
order by days.workspace_id, days.utc_date
