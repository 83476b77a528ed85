-- What each month books, of each workspace and of all: its lines in the books, frozen once it is
-- closed, the adjustments of earlier months and the invoices that it books; and its close.
-- Amounts are of UTC months. Grain: workspace or '(all)', and month.
with

amounts as (
    select workspace_id, usage_month as month, true as is_line, billed_usd, own_key_usd
    from marts.fct_month_lines
    union all by name
    select
        workspace_id,
        booked_month as month,
        difference_billed_usd as earlier_usd,
        difference_own_key_usd as earlier_own_key_usd
    from marts.fct_period_adjustments
    union all by name
    select workspace_id, booked_month as month, amount_usd - credit_usd as invoiced_usd
    from marts.fct_invoices
    where invoice_id <> '(none)'
    union all by name
    select workspace_id, booked_month as month, accrual_usd
    from marts.fct_accruals
    where
        exists (from audit.closings)
        or exists (from marts.fct_invoices where invoice_id <> '(none)')
        or getvariable('is_closing')  -- the first close begins the books
    union all by name
    select workspace_id, month, unknown_bill_count, status
    from marts.dim_months
),

sums as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        arg_min(
            status, list_position(['incomplete', 'open', 'final', 'closed'], status)
        ) as status,
        coalesce(bool_or(is_line), false) as has_lines,
        sum(unknown_bill_count)::bigint as unknown_bill_count,
        sum(columns('_usd$')) as '\0'
    from amounts
    group by grouping sets ((workspace_id, month), (month))
),

landed as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        max(load_id) as last_load_id,
        count(*) as file_count
    from audit.landing_files
    group by grouping sets ((workspace_id), ())
)

select
    workspace_id,
    sums.month,
    case
        when is_early then 'closed early'
        when revision is not null then 'closed'
        else coalesce(sums.status, 'incomplete')
    end as book_state,
    revision,
    (closed_at at time zone 'UTC')::date as closed_on,
    prepared_by, approved_by, early_reasons,
    coalesce(unknown_bill_count, 0) as unknown_bill_count,
    if(has_lines, billed_usd, 0) as billed_usd,
    coalesce(earlier_usd, 0) as earlier_usd,
    if(has_lines, billed_usd, 0) + coalesce(earlier_usd, 0) as to_book_usd,
    if(has_lines, own_key_usd, 0) + coalesce(earlier_own_key_usd, 0) as own_key_usd,
    invoiced_usd,
    if(abs(accrual_usd) >= 0.005, accrual_usd, null) as accrual_usd,
    if(
        (select max(last_batch_at) from marts.dim_workspaces)
        < (sums.month + interval 1 month) at time zone 'UTC', 'so far', 'at its end'
    ) as accrued_when,
    manifest_sha256,
    -- A close rests on what was loaded by then.
    if(manifest_sha256 is null, landed.last_load_id, closings.last_load_id) as last_load_id,
    if(manifest_sha256 is null, landed.file_count, closings.landing_file_count) as file_count
from sums
left join landed using (workspace_id)
left join audit.closings as closings
    on closings.month = sums.month and closings.status = 'closed'
