-- Budgets of finance/budgets.csv against what anybody must pay for the charges of their month:
-- metered cost and surcharge, which is what Levain bills, and what providers bill for keys of one's
-- own (own-key cost). Those of a cost center are its agents' own, before allocation, without its
-- share of what is shared out. Months are UTC months of the meter; a closed one has what its close
-- froze, and one that goes on the forecast of fct_forecasts' method.
-- Grain: scope, name, workspace and month.
-- key: scope, name, workspace_id, month
-- frozen: month
-- values scope: workspace, agent, cost_center, all
-- values status: on_track, at_risk, will_be_exceeded, exceeded, within, not_enough_history,
-- upcoming, unknown_name
-- column scope: Whose charges the budget is for: workspace, agent, cost_center or all.
-- column name: Name or identifier in finance/budgets.csv; '(all)' for the scope all.
-- column workspace_id: Identifier of the workspace; '(all)' for all of them; as written where
-- nothing has the name.
-- column month: First day of the calendar month (UTC).
-- column actual_usd: Metered cost + surcharge in US dollars of the month so far, before allocation;
-- null if nothing of it was read, the API does not give the bill of one of its days, or nothing has
-- the name.
-- column status: on_track, at_risk or will_be_exceeded (the high end of the forecast's 80 % range
-- is above the budget, or even its low end), exceeded (by what is known of the charges), within
-- (the month is over), not_enough_history, upcoming (the month has not begun), or unknown_name.
with

days as (
    select
        * exclude (utc_date),
        utc_date as date,
        date_trunc('month', utc_date)::date as month
    from intermediate.int_budget_days
),

open_budgets as (
    select
        budgets.*,
        expected_usd,
        spread_80_usd,
        spread_95_usd,
        run_rate_usd,
        week_usd,
        greatest(budgets.start, budgets.month) as first
    from intermediate.int_budgets as budgets
    anti join (from finance.closings where status = 'closed') as closed using (month)
    left join intermediate.int_forecasts using (scope, name, workspace_id, month)
),

sums as (
    select
        scope, name, workspace_id, month,
        coalesce(sum(actual_usd), 0) as known_usd,
        coalesce(sum(actual_usd) filter (date < start), 0) as to_date_usd,
        count(*) filter (date is not null and actual_usd is null) as unknown_count
    from open_budgets
    left join days using (scope, name, workspace_id, month)
    group by all
),

-- The charges of each day, and those that are expected of each that is left, with all to date on
-- the one before.
amounts as (
    select false as is_expected, scope, name, workspace_id, month, date, actual_usd as amount_usd
    from days
    where actual_usd is not null
    union all
    select true as is_expected, scope, name, workspace_id, month, first - 1 as date, to_date_usd
    from open_budgets
    join sums using (scope, name, workspace_id, month)
    where expected_usd is not null
    union all
    select true as is_expected, * exclude (start, week_usd), week_usd[(date - start) % 7 + 1]
    from (
        select
            scope, name, workspace_id, month,
            start,
            week_usd,
            unnest(generate_series(first, next_month - 1, interval 1 day))::date as date
        from open_budgets
        where expected_usd is not null
    )
),

gone as (
    select scope, name, workspace_id, month, min(date) as exhausted_on
    from (
        select *, sum(amount_usd) over (
            partition by scope, name, workspace_id, month, is_expected order by date
        ) as total_usd
        from amounts
    )
    join open_budgets using (scope, name, workspace_id, month)
    where total_usd > budget_usd
    group by all
),

-- A forecast is no less than the actual amount, which today's charges may have raised above it.
forecasts as (
    select
        open_budgets.*,
        known_usd,
        exhausted_on,
        to_date_usd + expected_usd as end_usd,
        if(
            is_known and first_date < next_month and (month > today or read_to >= month)
            and unknown_count = 0,
            known_usd,
            null
        ) as actual_usd,
        if(end_usd is null, null, greatest(known_usd, end_usd)) as forecast_usd,
        if(end_usd is null, null, greatest(known_usd, end_usd - spread_80_usd))
            as forecast_low_usd,
        if(end_usd is null, null, greatest(known_usd, end_usd + spread_80_usd))
            as forecast_high_usd,
        if(end_usd is null, null, greatest(known_usd, end_usd - spread_95_usd))
            as forecast_low_95_usd,
        if(end_usd is null, null, greatest(known_usd, end_usd + spread_95_usd))
            as forecast_high_95_usd
    from open_budgets
    join sums using (scope, name, workspace_id, month)
    left join gone using (scope, name, workspace_id, month)
)

select
    scope, name, workspace_id, month,
    budget_usd,
    actual_usd,
    run_rate_usd,
    forecast_usd,
    forecast_low_usd,
    forecast_high_usd,
    forecast_low_95_usd,
    forecast_high_95_usd,
    budget_usd - actual_usd as remaining_usd,
    exhausted_on,
    case
        when not is_known then 'unknown_name'
        when month > today then 'upcoming'
        when known_usd > budget_usd then 'exceeded'
        when start >= next_month and first_date <= month and actual_usd is not null
            and not lacks_workspace then 'within'
        when forecast_usd is null then 'not_enough_history'
        when forecast_low_usd > budget_usd then 'will_be_exceeded'
        when forecast_high_usd > budget_usd then 'at_risk'
        else 'on_track'
    end as status
from forecasts
union all by name
from finance.closed_budgets
order by month, scope, name, workspace_id
