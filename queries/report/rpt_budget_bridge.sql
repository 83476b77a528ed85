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
            {step_number: 1, amount_usd: budget_usd},
            {step_number: 2, amount_usd: budgeted_change_usd},
            {step_number: 3, amount_usd: volume_effect_usd},
            {step_number: 4, amount_usd: agent_mix_effect_usd},
            {step_number: 5, amount_usd: tokens_per_run_effect_usd},
            {step_number: 6, amount_usd: model_mix_effect_usd},
            {step_number: 7, amount_usd: price_effect_usd},
            {step_number: 8, amount_usd: failure_effect_usd},
            {step_number: 9, amount_usd: new_agent_effect_usd},
            {step_number: 10, amount_usd: retired_agent_effect_usd},
            {step_number: 11, amount_usd: platform_effect_usd},
            {step_number: 12, amount_usd: surcharge_effect_usd},
            {step_number: 13, amount_usd: actual_usd}
        ], recursive := true)
    from budgets
),

texts as (
    from (values
        (1, 'Budget', 'Of finance/budgets.csv.'),
        (2, 'To the month before', 'The change that was budgeted is taken back.'),
        (3, 'Runs', 'More or fewer runs than in the month before.'),
        (4, 'Agent mix', 'Runs that moved between agents that cost more or less.'),
        (5, 'Tokens per run', 'More or fewer tokens per run.'),
        (6, 'Model mix', 'Tokens that moved to models that cost more or less.'),
        (7, 'Price', 'More or less cost per token of the same model.'),
        (8, 'Failed runs', 'Cost of listed failed runs.'),
        (9, 'New agents', 'Cost of agents without charges in the month before.'),
        (10, 'Retired agents', 'Cost of agents without charges in the month.'),
        (11, 'Platform', 'Cost of the platform''s own agents, and of usage that names no agent.'),
        (12, 'Surcharge', 'Billed above list price.'),
        (13, null, 'Metered cost + surcharge.')
    ) as texts(step_number, step, comment)
)

select
    workspace_id,
    month,
    step_number::bigint as step_number,
    coalesce(step, strftime(month, '%B %Y')) as step,
    comment,
    amount_usd::decimal(38, 10) as amount_usd,
    budget_usd,
    actual_usd,
    if(month = max(month) over (partition by workspace_id), 'latest', 'earlier') as recency
from steps
join texts using (step_number)
where step_number in (1, 13) or amount_usd <> 0
order by workspace_id, month, step_number
