-- How the cost of the current month leads to its bill: the same month by the day of the run, by the
-- UTC day of the request, with the surcharge, without what own keys pay, and as billed so far.
-- Grain: workspace or '(all)', month, and step.
with

bills as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        if(count(columns('_usd$')) = count(*), sum(columns('_usd$')), null) as '\0'
    from (
        select workspace_id, month, metered_cost_usd, surcharge_usd, own_key_usd, billed_usd
        from marts.fct_workspace_months
    )
    group by grouping sets ((workspace_id, month), (month))
)

select
    workspace_id,
    month,
    unnest([
        {position: 1, step: 'Cost, by the day of the run', amount_usd: month_cost_usd},
        {
            position: 2,
            step: 'Metered cost, by the UTC day of the request',
            amount_usd: metered_cost_usd
        },
        {
            position: 3,
            step: 'With surcharge, which budgets are compared with',
            amount_usd: metered_cost_usd + surcharge_usd
        },
        {position: 4, step: 'Less own-key cost', amount_usd: -own_key_usd},
        {position: 5, step: 'Billed', amount_usd: billed_usd}
    ], recursive := true)
from reports.rpt_headlines
join bills using (workspace_id, month)
where agent_id = '(all)'
