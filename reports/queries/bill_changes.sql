-- Why the bill differs from that of the month before: each effect of more than 1 % of that, the
-- largest first, and the others as one. Grain: workspace or '(all)', month and effect.
with

effects as (
    select
        *,
        abs(amount_usd) >= 0.01 * start_usd as is_shown,
        end_usd - start_usd as change_usd
    from reports.rpt_month_bridge
    where not is_total
),

rows as (
    select
        workspace_id,
        month,
        previous_month,
        change_usd,
        reason as cause,
        amount_usd,
        driver_name,
        driver_model,
        left_out_names,
        abs(amount_usd) as size
    from effects
    where is_shown
    union all by name
    select
        workspace_id,
        month,
        previous_month,
        change_usd,
        count(*) || ' smaller' as cause,
        sum(amount_usd) as amount_usd,
        any_value(left_out_names) as left_out_names,
        -1 as size
    from effects
    where not is_shown
    group by workspace_id, month, previous_month, change_usd
    having abs(sum(amount_usd)) >= 0.005
)

select
    * exclude (size),
    (amount_usd / max(abs(amount_usd)) over (partition by workspace_id, month))::double as share,
    row_number() over (partition by workspace_id, month order by size desc, cause) as place
from rows
