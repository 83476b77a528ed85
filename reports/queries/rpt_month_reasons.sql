-- Why the bill of a month is higher or lower than that of the month before: its largest effect, the
-- second, and the others together, as the sentences of a page name them.
-- Grain: workspace or '(all)', and month.
with

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, month, is_total order by abs(amount_usd) desc, step_number
        ) as place
    from reports.rpt_month_bridge
),

-- A workspace of which one of both months was not read whole, or has no known bill, has none.
left_out as (
    select
        month,
        count(*) as left_out_count,
        string_agg(workspace_name, ', ' order by workspace_name, workspace_id) as left_out_names
    from (
        select distinct workspace_id, unnest([month, (month + interval 1 month)::date]) as month
        from (
            select workspace_id, date_trunc('month', utc_date)::date as month
            from marts.fct_charges
            where coalesce(billed_usd <> 0, true)
            union
            select workspace_id, usage_month
            from marts.fct_month_lines
            where revision is not null and billed_usd <> 0
            union
            select workspace_id, month
            from marts.dim_months
            where unknown_bill_count > 0
        )
    )
    anti join marts.fct_month_bridge using (workspace_id, month)
    join marts.dim_workspaces using (workspace_id)
    group by month
)

select
    workspace_id,
    month,
    any_value(previous_month) as previous_month,
    any_value(start_usd) as start_usd,
    any_value(end_usd) as end_usd,
    any_value(reason) filter (place = 1) as first_reason,
    any_value(amount_usd) filter (place = 1 and not is_total) as first_usd,
    any_value(driver_name) filter (place = 1) as first_name,
    any_value(driver_model) filter (place = 1) as first_model,
    any_value(driver_usd) filter (place = 1) as first_driver_usd,
    any_value(reason) filter (place = 2) as second_reason,
    any_value(amount_usd) filter (place = 2 and not is_total) as second_usd,
    any_value(driver_name) filter (place = 2) as second_name,
    any_value(driver_model) filter (place = 2) as second_model,
    any_value(driver_usd) filter (place = 2) as second_driver_usd,
    any_value(reason) filter (place = 3) as third_reason,
    any_value(amount_usd) filter (place = 3 and not is_total) as third_usd,
    sum(amount_usd) filter (place > 2 and not is_total) as other_usd,
    count(*) filter (place > 2 and not is_total) as other_count,
    if(workspace_id = '(all)', coalesce(any_value(left_out.left_out_count), 0), 0)
        as left_out_count,
    if(workspace_id = '(all)', any_value(left_out.left_out_names), null) as left_out_names
from ranked
left join left_out using (month)
group by workspace_id, month
order by workspace_id, month
