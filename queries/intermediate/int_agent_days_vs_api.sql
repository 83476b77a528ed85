-- An agent's UTC day by its counts, roll-ups and hourly meter (`int_agent_day_sums`), and by its
-- cut-off (`int_cut_off`): of the meter's difference to the roll-up, the leftover is what cannot be
-- under way, and the timing difference is the rest, metered on another day than that of its run.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
select
    days.* exclude (
        is_compared, compares_tokens, metered_refund_usd, unlisted_tokens_in, unlisted_tokens_out
    ),
    if(is_compared, coalesce(leftover, 0), null) as leftover_usd,
    if(is_compared, metered_cost_usd - rolled_up_cost_usd - leftover_usd, null)::decimal(38, 10)
        as timing_difference_usd,
    if(
        is_compared,
        rolled_up_cost_usd
        - run_cost_usd
        - open_cost_usd
        - platform_cost_usd
        - unlisted_cost_usd
        + leftover_usd,
        null
    )::decimal(38, 10) as unexplained_usd
from intermediate.int_agent_day_sums as days
left join (
    from intermediate.int_cut_off where measure = 'cost_usd'
) using (workspace_id, agent_id, utc_date)
