-- From a closed month to its figures of today, where it was adjusted since: the month as it was
-- closed, and the adjustments that each later month books. All steps together are today's figures.
-- Grain: workspace or '(all)', month and step.
with

figures as (
    select
        usage_month as month,
        workspace_id,
        usage_month as booked_month,
        format('Closed, revision {}', revision) as step,
        metered_cost_usd,
        surcharge_usd,
        own_key_usd,
        billed_usd,
        run_count
    from marts.fct_month_lines
    where revision is not null
    union all
    select
        usage_month,
        workspace_id,
        booked_month,
        if(is_booked, 'Adjustments booked in ', 'Adjustments to be booked in ')
        || strftime(booked_month, '%B %Y'),
        difference_metered_cost_usd,
        difference_surcharge_usd,
        difference_own_key_usd,
        difference_billed_usd,
        difference_run_count
    from marts.fct_period_adjustments
),

steps as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        booked_month,
        step,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(surcharge_usd) as surcharge_usd,
        sum(own_key_usd) as own_key_usd,
        sum(billed_usd) as billed_usd,
        sum(run_count)::bigint as run_count
    from figures
    group by grouping sets ((workspace_id, month, booked_month, step), (month, booked_month, step))
)

select
    workspace_id,
    month,
    row_number() over (partition by workspace_id, month order by booked_month) as step_number,
    step,
    booked_month,
    metered_cost_usd,
    surcharge_usd,
    own_key_usd,
    billed_usd,
    run_count
from steps
qualify max(booked_month) over (partition by workspace_id, month) > month
order by workspace_id, month, step_number
