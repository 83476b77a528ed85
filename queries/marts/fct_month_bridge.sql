-- From the bill of a month to that of the next, by agent and model: start_usd and the effects add
-- up to end_usd in every row, so the rows of an agent, a model, a workspace or all add up to its
-- own bridge. Only months that are over are in it, if the month before was read whole, too; a
-- closed month has the rows that its close froze. Lines, their amounts and tokens are those of
-- fct_charges, runs and failed cost those of fct_agent_months. Failed cost stands apart: volume,
-- model mix, tokens per run and price are of the other runs and their cost.
-- Grain: month, workspace, agent, provider and model.
-- key: month, workspace_id, agent_id, provider, model
-- frozen: month
-- ref agent_id: dim_agents
-- column month: First day of the calendar month in UTC.
-- column start_usd: Billed in US dollars of the month before; if that is closed, as the books have
-- it.
-- column end_usd: Billed in US dollars of the month.
with

charges as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        agent_id,
        provider,
        model,
        finance.units(sum(metered_cost_usd)) as cost,
        finance.units(sum(surcharge_usd)) as surcharge,
        finance.units(sum(own_key_usd)) as own_key,
        sum(tokens_in + tokens_out) as tokens,
        count(*) > count(surcharge_usd) as is_unknown
    from marts.fct_charges
    group by all
),

booked as (
    select
        workspace_id,
        usage_month as month,
        agent_id,
        provider,
        model,
        finance.units(sum(billed_usd)) as booked
    from finance.closed_charges
    group by all
),

whole as (
    select workspace_id, month, status = 'closed' as is_closed
    from marts.dim_months
    anti join (from charges where is_unknown) using (workspace_id, month)
    where is_complete and has_agent_bill
),

pairs as (
    select now.workspace_id, now.month, before.month as before, before.is_closed as is_booked
    from whole as now
    join whole as before
        on before.workspace_id = now.workspace_id
        and before.month = now.month - interval 1 month
    where not now.is_closed
),

cells as (
    select
        pairs.workspace_id,
        pairs.month,
        pairs.before,
        is_booked,
        agent_id,
        provider,
        model,
        coalesce(
            sum(columns('^(cost|surcharge|own_key|tokens)$')) filter (found.month = pairs.month), 0
        ) as '\0',
        coalesce(
            sum(columns('^(cost|surcharge|own_key|tokens)$')) filter (found.month = pairs.before), 0
        ) as '\0_before',
        coalesce(sum(booked), 0) as booked
    from pairs
    join (from charges union all by name from booked) as found
        on found.workspace_id = pairs.workspace_id
        and found.month in (pairs.month, pairs.before)
    group by all
),

runs as (
    select
        workspace_id,
        agent_id,
        month,
        run_count,
        failed_count - coalesce(unlisted_failed_count, 0) as failed_runs,
        finance.units(failed_cost_usd) as failed
    from marts.fct_agent_months
),

-- What stands on all cells of a line: its sums, its runs and its failed cost, which is at most the
-- line's cost; where it is unknown in either month both are zero, and failed runs are like others.
-- No row is no run.
lines as (
    select
        cells.*,
        cost_before + surcharge_before - own_key_before as billed_before,
        if(is_booked, booked, billed_before) as start_amount,
        row_number() over line = 1 as is_first,
        sum(cost) over whole_line as line_cost,
        sum(cost_before) over whole_line as line_cost_before,
        sum(tokens) over whole_line as line_tokens,
        sum(tokens_before) over whole_line as line_tokens_before,
        (now.failed is not null or now.run_count is null)
        and (before.failed is not null or before.run_count is null) as is_known,
        coalesce(now.run_count - if(is_known, now.failed_runs, 0), 0) as runs,
        coalesce(before.run_count - if(is_known, before.failed_runs, 0), 0) as runs_before,
        least(if(is_known, coalesce(now.failed, 0), 0), greatest(line_cost, 0)) as line_failed,
        least(if(is_known, coalesce(before.failed, 0), 0), greatest(line_cost_before, 0))
            as line_failed_before,
        case
            when agent_id = '(platform)' then 'platform'
            when line_cost_before = 0 and line_tokens_before = 0 then 'new_agent'
            when line_cost = 0 and line_tokens = 0 then 'retired_agent'
            else 'both'
        end as kind,
        kind = 'both' as is_both,
        runs > 0 and runs_before > 0 as has_runs,
        line_tokens > 0 and line_tokens_before > 0 as has_tokens
    from cells
    left join runs as now using (workspace_id, agent_id, month)
    left join runs as before
        on before.workspace_id = cells.workspace_id
        and before.agent_id = cells.agent_id
        and before.month = cells.before
    window
        whole_line as (partition by workspace_id, month, agent_id),
        line as (whole_line order by provider, model)
),

costs as (
    select
        *,
        finance.share_of(line_failed, cost, sum(cost) over line, line_cost, is_first) as failed,
        finance.share_of(
            line_failed_before, cost_before, sum(cost_before) over line, line_cost_before, is_first
        ) as failed_before,
        cost - failed as other,
        cost_before - failed_before as other_before
    from lines
    window line as (partition by workspace_id, month, agent_id order by provider, model)
),

-- The other cost of an agent with charges in both months goes through levels, each rounded to ten
-- decimals, and an effect is the difference of two of them; none is the rest of others:
-- 1. other cost of before;
-- 2. at the runs of now, at the agent's cost per run of before (volume);
-- 3. at the tokens of now, at the agent's cost per token of before (tokens per run);
-- 4. at the models of now, each at its own cost per token of before, and a model that the agent did
--    not use before at its cost of now (model mix);
-- 5. other cost of now (price).
-- Where one month has no other run, level 2 is level 3; without tokens, levels 3 and 4 are level 2.
levels as (
    select
        *,
        finance.part_of(cost_before, line_tokens, line_tokens_before) as cost_at_tokens,
        finance.part_of(cost_before, tokens, tokens_before) as cost_at_models,
        if(line_failed = 0, 0, finance.part_of(cost_at_tokens, line_failed, line_cost))
            as failed_at_tokens,
        if(line_failed = 0, 0, finance.part_of(cost_at_models, line_failed, line_cost))
            as failed_at_models,
        case
            when has_runs then finance.part_of(other_before, runs, runs_before)
            when has_tokens then cost_at_tokens - failed_at_tokens
            else other_before
        end as at_runs,
        if(has_tokens, cost_at_tokens - failed_at_tokens, at_runs) as at_tokens,
        case
            when not has_tokens then at_runs
            when tokens_before > 0 then cost_at_models - failed_at_models
            when tokens > 0 then other
            else at_tokens
        end as at_models
    from costs
),

bridge as (
    select
        month,
        workspace_id,
        agent_id,
        provider,
        model,
        finance.usd(start_amount) as start_usd,
        finance.usd(billed_before - start_amount) as adjustment_effect_usd,
        finance.usd(if(is_both, at_runs - other_before, 0)) as volume_effect_usd,
        null as agent_mix_effect_usd, -- months closed by an earlier version have it
        finance.usd(if(is_both, at_tokens - at_runs, 0)) as tokens_per_run_effect_usd,
        finance.usd(if(is_both, at_models - at_tokens, 0)) as model_mix_effect_usd,
        finance.usd(if(is_both, other - at_models, 0)) as price_effect_usd,
        finance.usd(if(is_both, failed - failed_before, 0)) as failure_effect_usd,
        finance.usd(if(kind = 'new_agent', cost - cost_before, 0)) as new_agent_effect_usd,
        finance.usd(if(kind = 'retired_agent', cost - cost_before, 0)) as retired_agent_effect_usd,
        finance.usd(if(kind = 'platform', cost - cost_before, 0)) as platform_effect_usd,
        finance.usd(surcharge - surcharge_before) as surcharge_effect_usd,
        finance.usd(own_key_before - own_key) as own_key_effect_usd,
        finance.usd(cost + surcharge - own_key) as end_usd
    from levels
    union all by name
    from finance.closed_month_bridge
)

select
    month,
    workspace_id,
    agent_id,
    agent_name,
    * exclude (month, workspace_id, agent_id, agent_name)
from bridge
left join (select workspace_id, agent_id, agent_name from marts.dim_agents)
    using (workspace_id, agent_id)
order by month, workspace_id, agent_id, provider, model
