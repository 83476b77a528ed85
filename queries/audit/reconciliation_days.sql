-- What the vendor metered, and what explains it: each amount from its own source.
-- Grain: workspace and UTC day.
-- key: workspace_id, date
-- column date: Calendar day in UTC.
-- column status: open (today, or provisional runs), pending (within 8 days), or [un]reconciled.
with

agent_days as (
    select
        workspace_id,
        date,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(metered_cost_usd) filter (agent_id is not null) as agents_metered_usd,
        sum(summed_cost_usd) filter (agent_id is not null) as agents_summed_usd,
        sum(run_cost_usd) as run_cost_usd,
        sum(open_cost_usd) as open_cost_usd,
        sum(provisional_count)::bigint as provisional_count,
        sum(tolerance_usd) as tolerance_usd
    from intermediate.int_agent_days_compared
    group by workspace_id, date
),

gaps as (
    select workspace_id, date, sum(missing_cost_usd) as gap_cost_usd
    from marts.fct_listing_gaps
    group by workspace_id, date
),

platform as (
    select workspace_id, date, sum(cost_usd) as platform_cost_usd
    from marts.fct_platform_agent_days
    group by workspace_id, date
),

bills as (
    select workspace_id, date, sum(billed_usd) as billed_usd
    from marts.fct_billing_days
    group by workspace_id, date
),

terms as (
    select
        days.workspace_id,
        days.date,
        days.last_date,
        coalesce(agent_days.provisional_count, 0) as provisional_count,
        coalesce(agent_days.tolerance_usd, 0) as tolerance_usd,
        coalesce(agent_days.metered_cost_usd, 0) as metered_cost_usd,
        coalesce(agent_days.run_cost_usd, 0) as run_cost_usd,
        coalesce(agent_days.open_cost_usd, 0) as open_cost_usd,
        coalesce(platform.platform_cost_usd, 0) as platform_cost_usd,
        coalesce(gaps.gap_cost_usd, 0) as gap_cost_usd,
        coalesce(agent_days.agents_metered_usd, 0)
        - coalesce(agent_days.agents_summed_usd, 0) as edge_usd,
        bills.billed_usd
    from intermediate.int_metered_days as days
    left join agent_days using (workspace_id, date)
    left join platform using (workspace_id, date)
    left join gaps using (workspace_id, date)
    left join bills using (workspace_id, date)
),

explained as (
    select
        *,
        metered_cost_usd
        - run_cost_usd
        - open_cost_usd
        - platform_cost_usd
        - gap_cost_usd
        - edge_usd as unexplained_usd
    from terms
)

select
    workspace_id,
    date,
    metered_cost_usd::decimal(38, 10) as metered_cost_usd,
    run_cost_usd::decimal(38, 10) as run_cost_usd,
    open_cost_usd::decimal(38, 10) as open_cost_usd,
    platform_cost_usd::decimal(38, 10) as platform_cost_usd,
    gap_cost_usd::decimal(38, 10) as gap_cost_usd,
    edge_usd::decimal(38, 10) as edge_usd,
    unexplained_usd::decimal(38, 10) as unexplained_usd,
    billed_usd,
    case
        when date = last_date or provisional_count > 0 then 'open'
        when abs(unexplained_usd) <= tolerance_usd then 'reconciled'
        when date > last_date - 8 then 'pending'
        else 'unreconciled'
    end as status
from explained
order by workspace_id, date
