-- The statement of each month of each workspace and of all: its lines in the books, frozen once it
-- is closed, the adjustments of earlier months that it books, and those since its close.
-- Amounts are of UTC months. Grain: workspace or '(all)', and month.
with

states as (
    select workspace_id, month, state
    from reports.rpt_months
    where agent_id = '(all)'
),

lines as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        usage_month as month,
        sum(metered_cost_usd) as line_cost_usd,
        sum(surcharge_usd) as line_surcharge_usd,
        sum(own_key_usd) as line_own_key_usd,
        sum(billed_usd) as line_billed_usd
    from marts.fct_month_lines
    group by grouping sets ((workspace_id, usage_month), (usage_month))
),

closed as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        usage_month as month,
        sum(billed_usd) as closed_billed_usd,
        sum(cost_usd) as closed_run_cost_usd
    from marts.fct_month_lines
    where revision is not null
    group by grouping sets ((workspace_id, usage_month), (usage_month))
),

earlier as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        booked_month as month,
        sum(difference_billed_usd) as earlier_billed_usd,
        sum(difference_own_key_usd) as earlier_own_key_usd
    from marts.fct_period_adjustments
    group by grouping sets ((workspace_id, booked_month), (booked_month))
),

unknown_bills as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        sum(unknown_bill_count)::bigint as unknown_bill_count
    from marts.dim_months
    group by grouping sets ((workspace_id, month), (month))
),

adjustments as (
    select
        workspace_id,
        month,
        sum(billed_usd) as adjusted_billed_usd,
        string_agg(strftime(booked_month, '%B %Y'), ', ' order by booked_month) as adjusted_in
    from reports.rpt_closed_to_today
    where booked_month > month
    group by workspace_id, month
),

accruals as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        sum(accrual_usd) as accrual_usd
    from reports.rpt_accruals
    group by grouping sets ((workspace_id, month), (month))
),

-- A name stands between marks that keep its writing direction from the rest of the sentence.
books as (
    select
        month,
        if(is_early, 'closed early', 'closed')
        || ', revision '
        || revision
        || strftime(closed_at at time zone 'UTC', ', %Y-%m-%d %H:%M UTC')
        || coalesce(', prepared by ' || chr(8296) || prepared_by || chr(8297), '')
        || coalesce(', approved by ' || chr(8296) || approved_by || chr(8297), '') as book_state
    from audit.closings
    where status = 'closed'
)

select
    workspace_id,
    month,
    coalesce(states.state, 'incomplete') as state,
    coalesce(books.book_state, 'not closed, ' || coalesce(states.state, 'incomplete'))
        as book_state,
    if(lines.month is null, 0, line_cost_usd) as line_cost_usd,
    if(lines.month is null, 0, line_surcharge_usd) as line_surcharge_usd,
    if(lines.month is null, 0, line_own_key_usd) as line_own_key_usd,
    if(lines.month is null, 0, line_billed_usd) as line_billed_usd,
    coalesce(unknown_bill_count, 0) as unknown_bill_count,
    coalesce(earlier_billed_usd, 0) as earlier_billed_usd,
    if(lines.month is null, 0, line_billed_usd) + coalesce(earlier_billed_usd, 0) as to_book_usd,
    if(lines.month is null, 0, line_own_key_usd) + coalesce(earlier_own_key_usd, 0)
        as own_key_to_book_usd,
    accruals.accrual_usd,
    closed.* exclude (workspace_id, month),
    adjustments.* exclude (workspace_id, month)
from states
full join lines using (workspace_id, month)
full join earlier using (workspace_id, month)
left join closed using (workspace_id, month)
left join unknown_bills using (workspace_id, month)
left join adjustments using (workspace_id, month)
left join accruals using (workspace_id, month)
left join books using (month)
order by workspace_id, month
