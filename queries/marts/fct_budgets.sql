-- Budgets of finance/budgets.csv against what anybody must pay for the charges of their month:
-- metered cost and surcharge, which is what Levain bills, and what providers bill for keys of one's
-- own (own-key cost). By UTC days of the meter, as the books are. A month that is closed has what
-- its close froze; the month that goes on has a forecast, made as that of fct_forecasts.
-- Grain: scope, name, workspace and month.
-- key: scope, name, workspace_id, month
-- values scope: workspace, agent, cost_center, all
-- values state: on_track, at_risk, exceeded, within, not_enough_history, upcoming, unknown_name
-- column scope: Whose charges the budget is for: workspace, agent, cost_center or all.
-- column name: Name or identifier in finance/budgets.csv; '(all)' for the scope all.
-- column workspace_id: Identifier of the workspace; '(all)' for all; as written if nothing has it.
-- column month: First day of the calendar month (UTC).
-- column actual_usd: Metered cost + surcharge in US dollars of the month so far; null if not read.
-- column state: on_track, at_risk, exceeded, within, not_enough_history, upcoming, unknown_name.
with

actuals as (
    select
        scope,
        name,
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        sum(amount_usd)::decimal(38, 10) as amount_usd
    from intermediate.int_budget_days
    group by all
),

budgets as (
    select
        budgets.*,
        if(
            budgets.is_known and budgets.first_date < budgets.next_month,
            coalesce(actuals.amount_usd, 0),
            null
        )::decimal(38, 10) as actual_usd
    from intermediate.int_budgets as budgets
    left join actuals using (scope, name, workspace_id, month)
),

computed as (
    select
        scope,
        name,
        workspace_id,
        month,
        budget_usd,
        actual_usd,
        forecasts.run_rate_usd,
        forecasts.forecast_usd,
        forecasts.forecast_low_usd,
        forecasts.forecast_high_usd,
        forecasts.forecast_low_95_usd,
        forecasts.forecast_high_95_usd,
        (budget_usd - actual_usd)::decimal(38, 10) as remaining_usd,
        forecasts.exhausted_on,
        case
            when not is_known then 'unknown_name'
            when month > today then 'upcoming'
            when actual_usd > budget_usd then 'exceeded'
            when start >= next_month and first_date <= month then 'within'
            when forecasts.forecast_usd is null then 'not_enough_history'
            when forecasts.forecast_high_usd > budget_usd then 'at_risk'
            else 'on_track'
        end as state
    from budgets
    left join intermediate.int_budget_forecasts as forecasts
        using (scope, name, workspace_id, month)
)

select
    scope,
    name,
    workspace_id,
    month,
    budget_usd,
    actual_usd,
    run_rate_usd,
    forecast_usd,
    forecast_low_usd,
    forecast_high_usd,
    forecast_low_95_usd,
    forecast_high_95_usd,
    remaining_usd,
    exhausted_on,
    state
from computed
where month not in (select month from finance.closings where state = 'closed')
union all by name
from finance.closed_budgets
order by month, scope, name, workspace_id
