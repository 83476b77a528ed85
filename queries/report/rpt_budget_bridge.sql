-- From the budget of a month to its actual amount, step by step: of a workspace its own budget, and
-- of the site that of all. Effects of nothing are left out.
-- Grain: workspace or '(all)', month and step.
-- key: workspace_id, month, step_number
-- values recency: latest, earlier
-- column workspace_id: Identifier of the workspace; '(all)' for the budget of all.
-- column month: First day of the calendar month in UTC.
-- column step_number: Place of the step, from 1; the first is the budget, the last the amount.
-- column step: Name of the step.
-- column comment: Meaning of the step.
-- column amount_usd: Amount in US dollars; of an effect, signed.
-- column budget_usd: Budget in US dollars, the same on every step.
-- column actual_usd: Metered cost + surcharge in US dollars of the month, the same on every step.
-- column recency: latest in the latest month that has such a bridge, else earlier.
with

-- Of a workspace that has two, by its name and by its identifier, one.
budgets as (
    from marts.fct_budget_bridge
    where scope in ('all', 'workspace')
    qualify row_number() over (partition by scope, workspace_id, month order by name) = 1
),

steps as (
    select
        workspace_id,
        month,
        budget_usd,
        actual_usd,
        unnest([
            {
                step_number: 1,
                step: 'Budget',
                amount_usd: budget_usd,
                comment: 'Of finance/budgets.csv.'
            },
            {
                step_number: 2,
                step: 'To the month before',
                amount_usd: budgeted_change_usd,
                comment: 'The change that was budgeted is taken back.'
            },
            {
                step_number: 3,
                step: 'Runs',
                amount_usd: volume_effect_usd,
                comment: 'More or fewer runs than in the month before.'
            },
            {
                step_number: 4,
                step: 'Agent mix',
                amount_usd: agent_mix_effect_usd,
                comment: 'Runs that moved between agents that cost more or less.'
            },
            {
                step_number: 5,
                step: 'Tokens per run',
                amount_usd: tokens_per_run_effect_usd,
                comment: 'More or fewer tokens per run.'
            },
            {
                step_number: 6,
                step: 'Model mix',
                amount_usd: model_mix_effect_usd,
                comment: 'Tokens that moved to models that cost more or less.'
            },
            {
                step_number: 7,
                step: 'Price',
                amount_usd: price_effect_usd,
                comment: 'More or less cost per token of the same model.'
            },
            {
                step_number: 8,
                step: 'Failed runs',
                amount_usd: failure_effect_usd,
                comment: 'Cost of listed failed runs.'
            },
            {
                step_number: 9,
                step: 'New agents',
                amount_usd: new_agent_effect_usd,
                comment: 'Cost of agents without charges in the month before.'
            },
            {
                step_number: 10,
                step: 'Retired agents',
                amount_usd: retired_agent_effect_usd,
                comment: 'Cost of agents without charges in the month.'
            },
            {
                step_number: 11,
                step: 'Platform',
                amount_usd: platform_effect_usd,
                comment: 'Cost of the platform''s own agents, and of usage that names no agent.'
            },
            {
                step_number: 12,
                step: 'Surcharge',
                amount_usd: surcharge_effect_usd,
                comment: 'Billed above list price.'
            },
            {
                step_number: 13,
                step: strftime(month, '%B %Y'),
                amount_usd: actual_usd,
                comment: 'Metered cost + surcharge.'
            }
        ], recursive := true)
    from budgets
)

select
    workspace_id,
    month,
    step_number::bigint as step_number,
    step,
    comment,
    amount_usd::decimal(38, 10) as amount_usd,
    budget_usd,
    actual_usd,
    if(month = max(month) over (partition by workspace_id), 'latest', 'earlier') as recency
from steps
where step_number in (1, 13) or amount_usd <> 0
order by workspace_id, month, step_number
