-- To whom the books have an agent's day: of several, all but one are back at nothing. A line of a
-- closed month without charges is its owner's from the first day of the month on.
-- Grain: UTC day and agent.
-- key: workspace_id, utc_date, agent_id
-- materialized: table
with

charges as (
    select
        usage_month,
        workspace_id,
        utc_date,
        agent_id,
        owner,
        cost_center,
        account,
        sum(coalesce(abs(metered_cost_usd), 0) + coalesce(abs(billed_usd), 0)) as amount_usd,
        coalesce(sum(abs(tokens_in) + abs(tokens_out) + abs(request_count)), 0) as count
    from intermediate.int_booked_charges
    group by all
),

lines as (
    select
        usage_month,
        workspace_id,
        usage_month as utc_date,
        agent_id,
        owner,
        cost_center,
        null as account,
        0 as amount_usd,
        sum(run_count) as count
    from (from finance.closed_lines union all by name from finance.closed_run_adjustments)
    anti join charges using (usage_month, workspace_id, agent_id)
    group by all
)

select usage_month, workspace_id, utc_date, agent_id, owner, cost_center, account
from (from charges union all by name from lines)
qualify row_number() over (
    partition by workspace_id, utc_date, agent_id
    order by amount_usd desc, count desc, owner, cost_center, account
) = 1
