-- Each control against the API by workspace: its two sources, what they sum to over all that was
-- compared. Sources are independent: neither number is derived
-- from the other. Grain: workspace, control and measure.
-- key: workspace_id, control, measure
-- column control: Name of the control, as the header of its check has it.
-- column ours: Sum of the first source, in the unit.
-- column theirs: Sum of the second source, in the unit.
with

agent_days as (
    from intermediate.int_agent_days_vs_api
    where agent_id <> '(platform)'
),

runs as (
    select
        workspace_id,
        sum(compared_run_count)::bigint as compared_count,
        sum(compared_usd) as ours,
        sum(model_cost_usd) as theirs
    from intermediate.int_listed_days
    where compared_run_count > 0
    group by workspace_id
),

-- Days of which any of the sources has a line.
billed_days as (
    select
        workspace_id,
        utc_date,
        any_value(days.has_hours) as has_hours,
        any_value(days.has_agent_bill) as has_agent_bill,
        coalesce(sum(metered_usd), 0) as metered_usd,
        coalesce(sum(billed_by_agent_usd), 0) as billed_by_agent_usd,
        coalesce(bool_or(lacks_bill), false) as lacks_bill,
        coalesce(bool_or(lacks_cost), false) as lacks_cost,
        coalesce(sum(metered_cost_usd), 0) as metered_cost_usd,
        coalesce(sum(billed_usd), 0) as billed_usd
    from (
        select
            workspace_id,
            utc_date,
            metered_cost_usd,
            billed_usd,
            billed_usd is null as lacks_bill
        from marts.fct_billing_days
        union all by name
        select
            workspace_id,
            utc_date,
            billed_usd as billed_by_agent_usd,
            billed_usd is null as lacks_bill
        from intermediate.int_agent_billing_days
        union all by name
        select workspace_id, utc_date, metered_cost_usd as metered_usd
        from marts.fct_model_days
        union all by name
        select workspace_id, utc_date, true as lacks_cost
        from staging.usage_hours
        where is_current and metered_cost_usd is null
        union all by name
        select workspace_id, utc_date, true as lacks_cost
        from staging.billing_days
        where is_current and metered_cost_usd is null
    )
    join intermediate.int_metered_days as days using (workspace_id, utc_date)
    where utc_date < days.last_date and days.has_bill
    group by workspace_id, utc_date
),

totals as (
    select
        workspace_id,
        'run costs' as control,
        'cost_usd' as measure,
        'runs' as first_source,
        'analytics/runs/{id}/costs' as second_source,
        compared_count,
        ours,
        theirs
    from runs
    union all by name
    select
        workspace_id,
        'listed runs' as control,
        'cost_usd' as measure,
        'runs' as first_source,
        'analytics/agents' as second_source,
        count(*) as compared_count,
        sum(run_cost_usd + open_cost_usd) as ours,
        sum(api_cost_usd) as theirs
    from agent_days
    where is_comparable and unlisted_run_count = 0 and api_cost_usd is not null
    group by workspace_id
    union all by name
    select
        workspace_id,
        'unlisted runs' as control,
        'run_count' as measure,
        'runs' as first_source,
        'runs/daily' as second_source,
        count(*) as compared_count,
        sum(listed_run_count) as ours,
        sum(api_run_count) as theirs
    from agent_days
    where is_comparable and unlisted_run_count > 0 and api_run_count is not null
    group by workspace_id
    union all by name
    select
        workspace_id,
        'run counts' as control,
        'run_count' as measure,
        'runs/daily' as first_source,
        'analytics/agents' as second_source,
        count(*) as compared_count,
        sum(api_run_count) as ours,
        sum(api_rollup_run_count) as theirs
    from agent_days
    where has_ended and api_run_count + api_rollup_run_count is not null
    group by workspace_id
    union all by name
    select
        workspace_id,
        'cut-off' as control,
        'cost_usd' as measure,
        'analytics/agents' as first_source,
        'analytics/hourly' as second_source,
        count(*) as compared_count,
        sum(rolled_up_cost_usd + timing_difference_usd) as ours,
        sum(metered_cost_usd) as theirs
    from agent_days
    where has_ended and listed_open_count = 0 and is_metered
    group by workspace_id
    union all by name
    select
        workspace_id,
        'platform' as control,
        'cost_usd' as measure,
        'analytics/platform-agents, runs' as first_source,
        'analytics/hourly' as second_source,
        count(*) as compared_count,
        sum(rolled_up_cost_usd + timing_difference_usd) as ours,
        sum(metered_cost_usd) as theirs
    from intermediate.int_agent_days_vs_api
    where agent_id = '(platform)' and has_ended and listed_open_count = 0 and is_metered
    group by workspace_id
    union all by name
    select
        workspace_id,
        'bill' as control,
        'cost_usd' as measure,
        'analytics/hourly' as first_source,
        'analytics/billing' as second_source,
        count(*) as compared_count,
        sum(metered_usd) as ours,
        sum(metered_cost_usd) as theirs
    from billed_days
    where has_hours and not lacks_cost
    group by workspace_id
    union all by name
    select
        workspace_id,
        'allocation' as control,
        'billed_usd' as measure,
        'analytics/timeseries/by-agent' as first_source,
        'analytics/billing' as second_source,
        count(*) as compared_count,
        sum(billed_by_agent_usd) as ours,
        sum(billed_usd) as theirs
    from billed_days
    where has_agent_bill and not lacks_bill
    group by workspace_id
)

select
    workspace_id,
    control,
    measure,
    first_source,
    second_source,
    compared_count,
    ours::decimal(38, 10) as ours,
    theirs::decimal(38, 10) as theirs
from totals
order by workspace_id, control, measure
