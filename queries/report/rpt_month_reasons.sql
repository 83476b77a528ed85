-- Why the bill of a month is higher or lower than that of the month before: its largest effect, the
-- second, and the others together, as the sentences of a page name them.
-- Grain: workspace or '(all)', and month.
-- key: workspace_id, month
-- column workspace_id: Identifier of the workspace; '(all)' for all that have a bridge.
-- column month: First day of the calendar month in UTC.
-- column previous_month: First day of the month before.
-- column start_usd: Billed in US dollars of the month before.
-- column end_usd: Billed in US dollars of the month.
-- column first_reason: The largest effect, as part of a sentence; null without any.
-- column first_usd: Its amount in US dollars.
-- column first_name: Name of the agent that made most of it.
-- column first_model: Model on which the agent did.
-- column first_driver_usd: The part of the effect in US dollars that this agent made on this model.
-- column second_reason: The second largest effect; null without any.
-- column second_usd: Its amount in US dollars.
-- column second_name: Name of the agent that made most of it.
-- column second_model: Model on which the agent did.
-- column second_driver_usd: The part of the effect in US dollars that it made.
-- column third_reason: The largest of the other effects; null without any.
-- column third_usd: Its amount in US dollars.
-- column other_usd: Sum of all other effects in US dollars; null without any.
-- column other_count: Number of other effects.
-- column left_out_count: Of all, the workspaces that were billed in one of both months and have no
-- bridge; of a workspace, 0.
-- column left_out_names: Names of these workspaces, in words; null without any.
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
            select workspace_id, usage_month
            from intermediate.int_unknown_bills
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
