-- From the bill of the month before to that of the month, step by step, of each workspace and of
-- all that have a bridge: the first step and the effects add up to the last one. Of each effect,
-- the agent and model that made most of it. Effects of nothing are left out. With those of all
-- stand the names of workspaces that have no bridge.
-- Grain: workspace or '(all)', month and step.
with

cells as (
    select
        workspace_id,
        month,
        agent_id,
        model,
        unnest([
            {step_number: 1, amount_usd: start_usd},
            {step_number: 2, amount_usd: adjustment_effect_usd},
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
            {step_number: 13, amount_usd: own_key_effect_usd},
            {step_number: 14, amount_usd: end_usd}
        ], recursive := true)
    from marts.fct_month_bridge
),

texts as (
    from (values
        (2, 'Adjustments', 'Changes of the month before since it was closed.',
            'the month before was adjusted upwards', 'the month before was adjusted downwards'),
        (3, 'Runs', 'More or fewer runs, at the cost per run that all agents had in common.',
            'there were more runs', 'there were fewer runs'),
        (4, 'Agent mix', 'The same runs, by how far their agents'' own cost per run is from that.',
            'runs moved to more expensive agents', 'runs moved to cheaper agents'),
        (5, 'Tokens per run', 'More or fewer tokens per run, at the cost per token of before.',
            'runs took more tokens', 'runs took fewer tokens'),
        (6, 'Model mix', 'Tokens that moved to models that cost more or less.',
            'tokens moved to more expensive models', 'tokens moved to cheaper models'),
        (7, 'Price', 'More or less cost per token of the same model.',
            'models cost more per token', 'models cost less per token'),
        (8, 'Failed runs', 'Cost of listed failed runs.',
            'failed runs cost more', 'failed runs cost less'),
        (9, 'New agents', 'Cost of agents without charges in the month before.',
            'there were new agents', 'there were new agents'),
        (10, 'Retired agents', 'Cost of agents without charges in the month.',
            'agents were retired', 'agents were retired'),
        (11, 'Platform', 'Cost of the platform''s own agents, and of usage that names no agent.',
            'the platform cost more', 'the platform cost less'),
        (12, 'Surcharge', 'Billed above list price.',
            'the surcharge grew', 'the surcharge shrank'),
        (13, 'Own key', 'Usage of keys of the workspace''s own, which is not billed.',
            'less usage ran on own keys', 'more usage ran on own keys')
    ) as texts(step_number, step, comment, more, less)
),

-- Of a cell's amounts on several providers, one.
parts as (
    select workspace_id, month, step_number, agent_id, model, sum(amount_usd) as amount_usd
    from cells
    group by all
),

sums as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        step_number,
        sum(amount_usd) as amount_usd,
        max_by(
            struct_pack(
                workspace_id := workspace_id,
                agent_id := agent_id,
                model := model,
                amount_usd := amount_usd
            ),
            (amount_usd, workspace_id, agent_id, model)
        ) as most,
        min_by(
            struct_pack(
                workspace_id := workspace_id,
                agent_id := agent_id,
                model := model,
                amount_usd := amount_usd
            ),
            (amount_usd, workspace_id, agent_id, model)
        ) as least
    from parts
    group by grouping sets ((workspace_id, month, step_number), (month, step_number))
),

steps as (
    select
        sums.* exclude (most, least),
        step_number in (1, 14) as is_total,
        case
            when step_number in (1, 14) then null
            when amount_usd > 0 then most
            else least
        end as driver,
        any_value(amount_usd) filter (step_number = 1) over bridge as start_usd,
        any_value(amount_usd) filter (step_number = 14) over bridge as end_usd
    from sums
    window bridge as (partition by workspace_id, month)
),

-- A workspace of which one of both months was not read whole, or has no known bill, has none.
left_out as (
    select
        month,
        '(all)' as workspace_id,
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
            select workspace_id, month
            from marts.dim_months
            where unknown_bill_count > 0
        )
    )
    anti join marts.fct_month_bridge using (workspace_id, month)
    join marts.dim_workspaces using (workspace_id)
    group by month
)

select
    steps.workspace_id,
    steps.month,
    (steps.month - interval 1 month)::date as previous_month,
    steps.step_number::bigint as step_number,
    coalesce(
        texts.step,
        strftime(if(step_number = 1, previous_month, steps.month), '%B %Y')
    ) as step,
    coalesce(texts.comment, 'Billed by Levain.') as comment,
    if(steps.amount_usd > 0, texts.more, texts.less) as reason,
    steps.amount_usd::decimal(38, 10) as amount_usd,
    steps.start_usd::decimal(38, 10) as start_usd,
    steps.end_usd::decimal(38, 10) as end_usd,
    agents.agent_name as driver_name,
    steps.driver.model as driver_model,
    steps.driver.amount_usd::decimal(38, 10) as driver_usd,
    steps.is_total,
    left_out_names
from steps
left join left_out using (workspace_id, month)
left join texts using (step_number)
left join marts.dim_agents as agents
    on agents.workspace_id = steps.driver.workspace_id
    and agents.agent_id = steps.driver.agent_id
where steps.is_total or steps.amount_usd <> 0
order by steps.workspace_id, steps.month, steps.step_number
